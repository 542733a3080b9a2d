import { expect, test } from 'vitest';
import { EngineError } from '../base/errors';
import { XLATE_FACTS } from '../profile/xlate-facts';
import { findFunctions } from './subprogs';
import { inputOfText, mapNamed, xlateText, type ProgramOptions } from './testing/program';
import { GOLDEN, portOf } from './testing/recorded';
import { walkProgram } from './verify/walk';

interface Refusal {
  readonly why: string;
  readonly text: string;
  readonly code: string;
  /** A part of the sentence. */
  readonly says: string;
  readonly insn?: number;
  readonly options?: ProgramOptions;
}

const XDP = 6;
const TC = 3;
const SOCKET_FILTER = 1;

const REFUSALS: readonly Refusal[] = [
  {
    why: 'a register that was never written',
    text: 'r0 = r3\nexit',
    code: 'xlate/uninitialised',
    says: 'r3 is read here',
    insn: 0,
  },
  { why: 'no result', text: 'r1 = 0\nexit', code: 'xlate/uninitialised', says: 'r0 is read here', insn: 1 },
  {
    why: 'unreachable code',
    text: 'r0 = 0\nexit\nr0 = 1\nexit',
    code: 'xlate/unreachable',
    says: 'no path',
    insn: 2,
  },
  {
    why: 'a loop without progress',
    text: 'r0 = 0\nr2 = *(u64 *)(r1 +0)\nif r2 == 0x0 goto pc+1\ngoto pc-1\nexit',
    code: 'xlate/loop',
    says: 'never ends',
  },
  {
    why: 'the stack from above',
    text: '*(u64 *)(r10 +8) = 1\nr0 = 0\nexit',
    code: 'xlate/stack',
    says: 'leave the stack',
  },
  {
    why: 'the stack below its end',
    text: '*(u64 *)(r10 -520) = 1\nr0 = 0\nexit',
    code: 'xlate/stack',
    says: '512 bytes',
  },
  {
    why: 'part of a spilled pointer',
    text: '*(u64 *)(r10 -8) = r1\nr0 = *(u32 *)(r10 -8)\nexit',
    code: 'xlate/stack',
    says: 'read back only as a whole',
  },
  {
    why: 'an unaligned access',
    text: 'r0 = *(u32 *)(r10 -6)\nexit',
    code: 'xlate/alignment',
    says: 'aligned',
  },
  {
    why: 'a number as address',
    text: 'r2 = 16\nr0 = *(u64 *)(r2 +0)\nexit',
    code: 'xlate/access',
    says: 'r2 is a number',
  },
  {
    why: 'adding two pointers',
    text: 'r2 = r10\nr2 += r1\nr0 = 0\nexit',
    code: 'xlate/pointer',
    says: 'two pointers',
  },
  {
    why: 'multiplying a pointer',
    text: 'r2 = r10\nr2 *= 2\nr0 = 0\nexit',
    code: 'xlate/pointer',
    says: 'added to',
  },
  {
    why: 'a changed context pointer',
    text: 'r1 += 8\nr0 = *(u64 *)(r1 +0)\nexit',
    code: 'xlate/context',
    says: 'changed before',
  },
  {
    why: 'a context field out of bounds',
    text: 'r0 = *(u32 *)(r1 +24)\nexit',
    code: 'xlate/context',
    says: '4 bytes at offset 24 of struct xdp_md',
    options: { progType: XDP },
  },
  {
    why: 'a context field of the wrong size',
    text: 'r0 = *(u64 *)(r1 +0)\nexit',
    code: 'xlate/context',
    says: 'cannot be read',
    options: { progType: XDP },
  },
  {
    why: 'a read-only context field',
    text: '*(u32 *)(r1 +0) = 1\nr0 = 0\nexit',
    code: 'xlate/context',
    says: 'cannot be written',
    options: { progType: TC },
  },
  {
    why: 'packet data without a test',
    text: 'r2 = *(u32 *)(r1 +0)\nr0 = *(u8 *)(r2 +0)\nexit',
    code: 'xlate/packet',
    says: 'compare with data_end',
    options: { progType: XDP },
  },
  {
    why: 'one byte more than was tested',
    text: 'r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr4 = r2\nr4 += 14\nr0 = 0\nif r4 > r3 goto pc+1\nr0 = *(u8 *)(r2 +14)\nexit',
    code: 'xlate/packet',
    says: 'offset 14',
    insn: 6,
    options: { progType: XDP },
  },
  {
    why: 'writing to a packet from a socket filter',
    text: 'r0 = 0\nr1 = *(u32 *)(r1 +76)\nexit',
    code: 'xlate/context',
    says: 'cannot be read',
    options: { progType: SOCKET_FILTER },
  },
  {
    why: 'a helper that is none',
    text: 'call 4000\nr0 = 0\nexit',
    code: 'xlate/helper',
    says: 'number 4000',
  },
  {
    why: 'an argument that is no map',
    text: 'r1 = 0\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem\nr0 = 0\nexit',
    code: 'xlate/argument',
    says: 'takes a map',
  },
  {
    why: 'a map value that may be NULL',
    text: 'r1 = map[name:m]\nr2 = r10\nr2 += -4\n*(u32 *)(r10 -4) = 0\ncall bpf_map_lookup_elem\nr0 = *(u64 *)(r0 +0)\nexit',
    code: 'xlate/null',
    says: 'may be NULL',
    options: { maps: [mapNamed('m')] },
  },
  {
    why: 'a map value out of bounds',
    text: 'r1 = map[name:m]\nr2 = r10\nr2 += -4\n*(u32 *)(r10 -4) = 0\ncall bpf_map_lookup_elem\nif r0 == 0x0 goto pc+1\nr0 = *(u64 *)(r0 +8)\nexit',
    code: 'xlate/bounds',
    says: 'which has 8 bytes',
    options: { maps: [mapNamed('m')] },
  },
  {
    why: 'a tail call through an array',
    text: 'r2 = map[name:m]\nr3 = 0\ncall bpf_tail_call\nr0 = 0\nexit',
    code: 'xlate/map',
    says: 'prog_array',
    options: { progType: XDP, maps: [mapNamed('m')] },
  },
  {
    why: 'r1 after a call',
    text: 'r6 = r1\ncall bpf_ktime_get_ns\nr0 = r1\nexit',
    code: 'xlate/uninitialised',
    says: 'r1 is read here',
  },
  {
    why: 'a length that may be negative',
    text: 'r2 = *(u64 *)(r1 +0)\nr1 = r10\nr1 += -16\ncall bpf_get_current_comm\nr0 = 0\nexit',
    code: 'xlate/argument',
    says: 'may be negative',
  },
  {
    why: 'a length of zero',
    text: 'r1 = r10\nr1 += -16\nr2 = 0\ncall bpf_get_current_comm\nr0 = 0\nexit',
    code: 'xlate/argument',
    says: 'may be 0',
  },
  {
    why: 'too many nested calls',
    text: `${Array.from({ length: 9 }, () => 'call pc+1\nexit').join('\n')}\nr0 = 0\nexit`,
    code: 'xlate/depth',
    says: '8 functions',
  },
  {
    why: 'more stack than there is',
    text: '*(u64 *)(r10 -512) = 0\ncall pc+1\nexit\n*(u64 *)(r10 -8) = 0\nr0 = 0\nexit',
    code: 'xlate/stack-depth',
    says: '528 bytes',
  },
  {
    why: 'a callback that returns 2',
    text: 'r1 = 3\nr2 = subprog[cb]\nr3 = 0\nr4 = 0\ncall bpf_loop\nr0 = 0\nexit\ncb: r0 = 2\nexit',
    code: 'xlate/return',
    says: '0 or 1',
  },
  {
    why: 'a kernel function that is not modelled',
    text: 'call kernel-function#1\nr0 = 0\nexit',
    code: 'xlate/kfunc',
    says: 'bpf_obj_new_impl',
    options: { kfuncs: { 0: 'bpf_obj_new_impl' } },
  },
  {
    why: 'a program type without a model',
    text: 'r0 = 0\nexit',
    code: 'xlate/program-type',
    says: 'type 27',
    options: { progType: 27 },
  },
  {
    why: 'a cgroup program that returns 2',
    text: 'r0 = 2\nexit',
    code: 'xlate/return',
    says: '0 to 1',
    options: { progType: 8 },
  },
];

test.each(REFUSALS)('$why is refused', ({ text, code, says, insn, options }) => {
  let error: unknown;
  try {
    xlateText(text, options);
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(EngineError);
  const refusal = error as EngineError;
  expect(refusal.code).toBe(code);
  expect(refusal.message).toContain(says);
  expect(refusal.message).toMatch(/\.$/);
  if (insn !== undefined) expect(refusal.data['insn']).toBe(insn);
});

test('a program with too many paths is given up after as many steps as the kernel takes', () => {
  const input = inputOfText('r2 = 0\nr2 += 1\nif r2 < 0x100000 goto pc-2\nr0 = 0\nexit');
  const facts = { ...XLATE_FACTS['6.12'], complexityLimit: 5000 };
  const walk = (): unknown =>
    walkProgram({
      ...input,
      functions: findFunctions(input),
      constants: new Map(),
      kfuncs: new Map(),
      facts,
      port: portOf(GOLDEN.facts['6.12']),
    });
  expect(walk).toThrow(/gives up after 5000 steps/);
  expect(XLATE_FACTS['6.12'].complexityLimit).toBe(1_000_000);
});
