import { describe, expect, it } from 'vitest';
import { EngineError } from '../../base/errors';
import { parseProfile } from '../profile';
import { decode } from '../../rv64/decode';
import { TRAMP_FLAG, type TrampolineModel, type TrampolineProgram } from './model';
import { compileTrampoline } from './trampoline';

const PROGRAM: TrampolineProgram = {
  prog: 0xffffffc600105000n,
  bpfFunc: 0xffffffff78000800n,
  jited: true,
  cookie: 0x123456789abcdef0n,
  enter: 0xffffffff801cc68cn,
  exit: 0xffffffff801cc810n,
};

const MODEL: TrampolineModel = {
  name: 'traced',
  flags: TRAMP_FLAG.CALL_ORIG | TRAMP_FLAG.SKIP_FRAME,
  args: [{ size: 8, signed: false }],
  result: { size: 4, signed: true },
  structOps: false,
  funcAddress: 0xffffffff808c7e72n,
  imageAddress: 0xffffffff78000100n,
  imAddress: 0xffffffd620478400n,
  fentry: [],
  fexit: [PROGRAM],
  fmodRet: [],
  trampEnter: 0xffffffff801cce50n,
  trampExit: 0xffffffff801ccea0n,
};

const mnemonicAt = (image: Uint8Array, at: number): string | undefined =>
  decode(new DataView(image.buffer, image.byteOffset).getUint32(at, true))?.base.mnemonic;

describe('a trampoline', () => {
  it('holds as many programs as a function can have (38)', () => {
    const programs = Array.from({ length: 38 }, () => PROGRAM);
    const model = { ...MODEL, fentry: programs, fexit: programs };
    for (const kernel of ['6.12', '7.2']) {
      const { image, allocSize, calls } = compileTrampoline(parseProfile({ kernel, isa: 'rv64ima' }), model);
      expect(image.length).toBeLessThanOrEqual(allocSize);
      expect(calls.filter((call) => call.kind === 'program')).toHaveLength(76);
      expect(mnemonicAt(image, image.length - 4)).toBe('jalr');
    }
  });

  it('tells where it calls what', () => {
    const { calls, image } = compileTrampoline(parseProfile(), MODEL);
    expect(calls.map((call) => call.kind)).toEqual([
      'tramp-enter',
      'original',
      'prog-enter',
      'program',
      'prog-exit',
      'tramp-exit',
    ]);
    for (const { at } of calls) expect(mnemonicAt(image, at)).toMatch(/^jalr?$/);
    expect(calls[1]!.target).toBe(MODEL.funcAddress + 8n);
  });

  it.each([
    ['6.12', 'transparent', true],
    ['6.12', 'stack-v1', true],
    ['6.12', 'mainline', false],
    ['7.2', 'transparent', true],
    ['7.3', 'stack-v6', true],
  ])('on a BPF program keeps the counter in its frame (%s, %s: %s)', (kernel, tcc, keeps) => {
    const model = { ...MODEL, flags: MODEL.flags | TRAMP_FLAG.TAIL_CALL_CTX };
    const { frame } = compileTrampoline(parseProfile({ kernel, tcc }), model);
    expect(frame.slots.some((slot) => slot.kind === 'tcc')).toBe(keeps);
  });

  const long = { size: 16, signed: false };
  it.each([
    ['an unsupported flag', '6.12', { flags: TRAMP_FLAG.ORIG_STACK }, 'ORIG_STACK'],
    ['thirteen arguments', '6.12', { args: Array.from({ length: 13 }, () => long) }, 'at most 12 arguments'],
    ['nine slots in 6.6', '6.6', { args: Array.from({ length: 5 }, () => ({ ...long, isStruct: true })) }, 'at most 8 slots'],
    ['a wide argument that is no struct in 6.6', '6.6', { args: [long] }, 'is no struct'],
    ['a struct_ops result of 3 bytes', '6.12', { structOps: true, flags: TRAMP_FLAG.RET_FENTRY_RET, result: { size: 3, signed: false } }, '3 bytes'],
    ['a program out of reach', '6.12', { fexit: [{ ...PROGRAM, enter: 0x1000n }] }, 'bytes away'],
  ] as const)('is refused for %s', (_, kernel, change, part) => {
    const compile = (): unknown => compileTrampoline(parseProfile({ kernel }), { ...MODEL, ...change });
    expect(compile).toThrow(EngineError);
    expect(compile).toThrow(part);
  }); // prettier-ignore
});
