import { describe, expect, test } from 'vitest';
import { EngineError } from '../base/errors';
import { hexToBytes } from '../base/hex';
import { decodeInsns } from '../bpf/bytes';
import type { BpfInsn } from '../bpf/insn';
import { printInsn } from '../bpf/print';
import { XLATE_FACTS } from '../profile/xlate-facts';
import { resolveConstants } from './resolve';
import { findFunctions } from './subprogs';
import { GOLDEN, inputOf, type Recorded } from './testing/recorded';
import type { XlatedProgram } from './types';
import { walkProgram } from './verify/walk';
import { xlate } from './xlate';

/** Random numbers that BPF_F_TEST_RND_HI32 puts into AX differ in every load. */
const RANDOM_HIGH_HALF = 4;

function listing(insns: readonly BpfInsn[], record: Recorded): string[] {
  const ax = XLATE_FACTS[record.kernel].axRegister;
  const random = (record.flags & RANDOM_HIGH_HALF) !== 0;
  const shown = insns.map((insn) =>
    random && insn.code === 0xb7 && insn.dst === ax ? { ...insn, imm: 0 } : insn,
  );
  return shown.map(
    ({ code, dst, src, off, imm }, i) =>
      `${i}: ${[code, dst, src, off, imm].join(' ')} ${printInsn(shown, i)}`,
  );
}

function run(record: Recorded): XlatedProgram | string {
  const { input, port } = inputOf(record);
  try {
    return xlate(input, port);
  } catch (error) {
    if (error instanceof EngineError) return error.code;
    throw error;
  }
}

const FAMILIES = [...new Set(GOLDEN.records.map((r) => `${r.kernel} ${r.name.replace(/[.:].*/, '')}`))];

describe('code as the verifiers of running kernels made it', () => {
  test.each(FAMILIES)('%s', (family) => {
    const records = GOLDEN.records.filter((r) => `${r.kernel} ${r.name.replace(/[.:].*/, '')}` === family);
    expect(records.length).toBeGreaterThan(0);
    for (const record of records) {
      const result = run(record);
      if (record.code === undefined) {
        expect(result, record.name).toBe(record.refused);
        continue;
      }
      if (typeof result === 'string') throw new Error(`${record.name} was refused: ${result}`);
      const want = decodeInsns(hexToBytes(record.code));
      expect(listing(result.insns, record), record.name).toEqual(listing(want, record));
      expect(
        result.functions.map((fn) => fn.stackDepth),
        record.name,
      ).toEqual(record.stacks);
      expect(
        result.functions.map((fn) => Number(fn.tailCallReachable)),
        record.name,
      ).toEqual(record.tails);
      expect(result.origin.length).toBe(result.insns.length);
    }
  });
});

test.each(['6.12', '7.2'])('paths are walked in the same steps as kernel %s walked them', (kernel) => {
  const records = GOLDEN.records.filter((r) => r.kernel === kernel && typeof r.steps === 'number');
  expect(records.length).toBeGreaterThan(300);
  let same = 0;
  for (const record of records) {
    const { input, port } = inputOf(record);
    const functions = findFunctions(input);
    const { insns, constants } = resolveConstants(input.insns, input.relocations, functions, port);
    const kfuncs = new Map(
      input.relocations.flatMap((r) => (r.kind === 'kfunc' ? [[r.insn, r.name] as const] : [])),
    );
    const facts = XLATE_FACTS[record.kernel];
    const env = walkProgram({ ...input, insns, functions, constants, kfuncs, facts, port });
    if (env.processed === record.steps) same++;
  }
  expect(same / records.length).toBeGreaterThan(0.99);
});

test('without the fault of 7.2 the code differs from that kernel only by zero extensions', () => {
  const isZext = (insn: BpfInsn): boolean => insn.code === 0xbc && insn.imm === 1;
  const bare = (insns: readonly BpfInsn[]): string[] =>
    insns.filter((insn) => !isZext(insn)).map(({ code, dst, src }) => [code, dst, src].join(' '));
  let more = 0;
  for (const record of GOLDEN.records) {
    if (record.kernel !== '7.2' || record.code === undefined) continue;
    const { input, port } = inputOf(record);
    const result = xlate({ ...input, losesZextAtJoins: false }, port);
    const want = decodeInsns(hexToBytes(record.code));
    expect(bare(result.insns), record.name).toEqual(bare(want));
    more += result.insns.length - want.length;
  }
  expect(more).toBeGreaterThan(0);
});
