import { describe, expect, it } from 'vitest';
import { EngineError } from '../../base/errors';
import { FAULT_NAMES, FAULTS } from '../../profile/faults';
import { parseProfile } from '../profile';
import { compileProgram } from '../subprograms';
import { runProgramCase, runTrampolineCase } from '../testing/fault-world';
import { FAULT_CASES } from './index';

it('every fault has a case that exposes it, and every case a fault', () => {
  expect(FAULT_CASES.map(({ fault }) => fault).sort()).toEqual([...FAULT_NAMES].sort());
});

describe.each(FAULT_CASES.map((fault) => [fault.fault, fault] as const))('%s', (_, fault) => {
  it.each([
    ['sound', false],
    ['faulty', true],
  ] as const)('%s', (which, faulty) => {
    const seen = fault.kind === 'program' ? runProgramCase(fault, faulty) : runTrampolineCase(fault, faulty);
    expect(seen).toMatchObject(fault[which]);
    expect(Object.keys(fault[which]).length).toBeGreaterThan(0);
  });
});

it('a fault that nobody knows is refused with the list of those there are', () => {
  const profile = { ...parseProfile(), faults: ['no-such-fault'] };
  const compile = (): unknown =>
    compileProgram(
      profile,
      {
        name: 'p',
        insns: [{ code: 0x95, dst: 0, src: 0, off: 0, imm: 0 }],
        subprogs: [{ name: 'p', start: 0, stackDepth: 0, tailCallReachable: false }],
        verifierZext: true,
        callBase: 0n,
        addresses: { perCpuOffset: 0n },
      },
      { place: () => 0n },
    );
  expect(compile).toThrow(EngineError);
  expect(compile).toThrow(/no-such-fault.*tail-call-limit-32/);
});

it('the table tells the bug, when it was fixed and what it did', () => {
  for (const { fixed, sentence } of Object.values(FAULTS)) {
    expect(fixed).not.toBe('');
    expect(sentence).toMatch(/\.$/);
  }
});
