import { describe, expect, test } from 'vitest';
import { EngineError } from '../base/errors';
import { HELPER_MAX } from '../bpf/helpers';
import { SCHEMES } from '../jit/profile';
import { supportsSubprogTailCalls } from '../jit/tcc/index';
import { listing, mapNamed, xlateText, type ProgramOptions } from './testing/program';
import { helperProto } from './verify/helper-protos';

const progArray = mapNamed('p', { type: 3, valueSize: 4 });
const TC: ProgramOptions = { progType: 3, maps: [progArray] };

interface Rewrite {
  readonly what: string;
  readonly text: string;
  readonly becomes: string;
  readonly options?: ProgramOptions;
}

const REWRITES: readonly Rewrite[] = [
  {
    what: 'divisions by a register are guarded',
    text: 'r2 = *(u64 *)(r1 +0)\nr0 = *(u64 *)(r1 +8)\nr0 /= r2\nw0 s%= w2\nexit',
    becomes: `
0: r2 = *(u64 *)(r1 +0)
1: r0 = *(u64 *)(r1 +8)
2: if r2 != 0x0 goto pc+3 <div-by-zero>
3: w0 ^= w0 <div-by-zero>
4: w0 = w0 zext <zero-extension>
5: goto pc+1 <div-by-zero>
6: r0 /= r2
7: r11 = r2 <div-by-zero>
8: w11 += 1 <div-by-zero>
9: w11 = w11 zext <zero-extension>
10: if w11 > 0x1 goto pc+4 <div-by-zero>
11: if w11 == 0x1 goto pc+6 <div-by-zero>
12: w0 = 0 <div-by-zero>
13: w0 = w0 zext <zero-extension>
14: goto pc+2 <div-by-zero>
15: w0 s%= w2
16: w0 = w0 zext <zero-extension>
17: goto pc+2 <div-by-zero>
18: w0 = w0 <div-by-zero>
19: w0 = w0 zext <zero-extension>
20: exit`,
  },
  {
    what: 'kernel 6.6 guards signed divisions against zero only',
    options: { kernel: '6.6' },
    text: 'r2 = *(u64 *)(r1 +0)\nr0 = *(u64 *)(r1 +8)\nr0 s/= r2\nexit',
    becomes: `
0: r2 = *(u64 *)(r1 +0)
1: r0 = *(u64 *)(r1 +8)
2: if r2 != 0x0 goto pc+3 <div-by-zero>
3: w0 ^= w0 <div-by-zero>
4: w0 = w0 zext <zero-extension>
5: goto pc+1 <div-by-zero>
6: r0 s/= r2
7: exit`,
  },
  {
    what: 'division by -1 negates',
    text: 'r0 = *(u64 *)(r1 +8)\nr0 s/= -1\nr2 = *(u64 *)(r1 +0)\nr2 s%= -1\nr0 += r2\nexit',
    becomes: `
0: r0 = *(u64 *)(r1 +8)
1: r0 = -r0 <div-by-zero>
2: r2 = *(u64 *)(r1 +0)
3: w2 = 0 <div-by-zero>
4: w2 = w2 zext <zero-extension>
5: r0 += r2
6: exit`,
  },
  {
    what: 'tail calls with known map and index are numbered',
    options: TC,
    text: 'r6 = r1\nr2 = map[name:p]\nr3 = 1\ncall bpf_tail_call\nr1 = r6\nr2 = map[name:p]\nr3 = *(u32 *)(r6 +0)\ncall bpf_tail_call\nr0 = 0\nexit',
    becomes: `
0: r6 = r1
1: r2 = map[name:p]
3: r3 = 1
4: tail_call <tail-call>
5: r1 = r6
6: r2 = map[name:p]
8: r3 = *(u32 *)(r6 +112) <ctx-access>
9: w3 = w3 zext <zero-extension>
10: tail_call <tail-call>
11: r0 = 0
12: exit`,
  },
  {
    what: 'narrow context loads are widened, shifted and masked',
    options: { progType: 1 },
    text: 'r0 = *(u8 *)(r1 +9)\nr2 = *(u16 *)(r1 +68)\nr0 += r2\nr3 = *(u32 *)(r1 +40)\nr0 += r3\nexit',
    becomes: `
0: r0 = *(u32 *)(r1 +168) <ctx-access>
1: w0 = w0 zext <zero-extension>
2: w0 >>= 8 <ctx-access>
3: w0 = w0 zext <zero-extension>
4: w0 &= 255 <ctx-access>
5: w0 = w0 zext <zero-extension>
6: r2 = *(u32 *)(r1 +152) <ctx-access>
7: w2 = w2 zext <zero-extension>
8: w2 &= 65535 <ctx-access>
9: w2 = w2 zext <zero-extension>
10: r0 += r2
11: r3 = *(u64 *)(r1 +16) <ctx-access>
12: if r3 == 0x0 goto pc+2 <ctx-access>
13: r3 = *(u32 *)(r3 +224) <ctx-access>
14: w3 = w3 zext <zero-extension>
15: r0 += r3
16: exit`,
  },
  {
    what: 'spills around a helper that keeps registers go',
    text: 'r1 = 7\n*(u64 *)(r10 -8) = r1\ncall bpf_get_smp_processor_id\nr1 = *(u64 *)(r10 -8)\nr0 += r1\nexit',
    becomes: `
0: r1 = 7
1: call bpf_get_smp_processor_id#8
2: r0 += r1
3: exit`,
  },
  {
    what: 'spills whose slot is used otherwise stay',
    text: 'r1 = 7\n*(u64 *)(r10 -8) = r1\ncall bpf_get_smp_processor_id\nr1 = *(u64 *)(r10 -8)\nr2 = *(u64 *)(r10 -8)\nr0 += r2\nexit',
    becomes: `
0: r1 = 7
1: *(u64 *)(r10 -8) = r1
2: call bpf_get_smp_processor_id#8
3: r1 = *(u64 *)(r10 -8)
4: r2 = *(u64 *)(r10 -8)
5: r0 += r2
6: exit`,
  },
  {
    what: 'branches that no path takes go',
    text: 'r2 = 5\nif r2 == 0x5 goto pc+2\nr0 = 1\nexit\nr0 = 2\nexit',
    becomes: `
0: r2 = 5
1: r0 = 2
2: exit`,
  },
  {
    what: 'what a frozen map holds decides branches',
    options: { maps: [mapNamed('ro', { flags: 128, frozen: Uint8Array.from([0, 0, 0, 0, 7, 0, 0, 0]) })] },
    text: 'r1 = map[name:ro][0]+4\nr2 = *(u32 *)(r1 +0)\nr0 = 0\nif r2 == 0x7 goto pc+1\nr0 = 1\nexit',
    becomes: `
0: r1 = map[name:ro][0]+4
2: r2 = *(u32 *)(r1 +0)
3: w2 = w2 zext <zero-extension>
4: r0 = 0
5: exit`,
  },
  {
    what: 'loads through what a traced function received may fault',
    options: { progType: 26, attachType: 24 },
    text: 'r2 = *(u64 *)(r1 +0)\nr0 = *(u64 *)(r2 +8)\nr0 = *(s32 *)(r0 +16)\nr0 = 0\nexit',
    becomes: `
0: r2 = *(u64 *)(r1 +0)
1: r0 = *(u64 *)(r2 +8) probe_mem <probe-load>
2: r0 = *(s32 *)(r0 +16) probe_memsx <probe-load>
3: r0 = 0
4: exit`,
  },
  {
    what: 'loops with may_goto count their rounds',
    text: 'r0 = 0\nmay_goto pc+2\nr0 += 1\ngoto pc-3\nexit',
    becomes: `
0: *(u64 *)(r10 -8) = 8388608 <may-goto-start>
1: r0 = 0
2: r11 = *(u64 *)(r10 -8) <may-goto>
3: if r11 == 0x0 goto pc+4 <may-goto>
4: r11 -= 1 <may-goto>
5: *(u64 *)(r10 -8) = r11 <may-goto>
6: r0 += 1
7: goto pc-6
8: exit`,
  },
];

test.each(REWRITES)('$what', ({ text, becomes, options }) => {
  expect(listing(xlateText(text, options))).toEqual(becomes.trim().split('\n'));
});

describe('tail calls and subprograms', () => {
  const call = (filler = ''): string =>
    `${filler}r6 = r1\ncall sub\nr0 = 0\nexit\nsub: r2 = map[name:p]\nr3 = 1\ncall bpf_tail_call\nr0 = 0\nexit`;
  const refusal = (text: string, options: ProgramOptions): string => {
    try {
      xlateText(text, options);
    } catch (error) {
      if (error instanceof EngineError) return error.message;
    }
    return 'accepted';
  };

  test('do not mix under the scheme mainline, and the kernel says so in its own words', () => {
    expect(refusal(call(), { ...TC, tcc: 'mainline' })).toContain(
      'tail_calls are not allowed in non-JITed programs with bpf-to-bpf calls',
    );
    expect(refusal(call(), { ...TC, kernel: '7.2', tcc: 'mainline' })).toContain(
      'mixing of tail_calls and bpf-to-bpf calls is not supported',
    );
  });

  const mixing = SCHEMES['6.12'].filter((tcc) => supportsSubprogTailCalls({ tcc }));
  test.each(mixing)('mix under %s', (tcc) => {
    const program = xlateText(call(), { ...TC, tcc });
    expect(program.functions.map((fn) => [fn.kind, fn.tailCallReachable])).toEqual([
      ['main', true],
      ['subprog', true],
    ]);
  });

  test('a subprogram tail calls below 256 bytes of stack only', () => {
    expect(refusal(call('*(u64 *)(r10 -240) = 0\n'), TC)).toBe('accepted');
    expect(refusal(call('*(u64 *)(r10 -256) = 0\n'), TC)).toContain('256 bytes');
  });

  test('a callback does not tail call', () => {
    const text =
      '*(u64 *)(r10 -8) = r1\nr1 = 3\nr2 = subprog[cb]\nr3 = r10\nr3 += -8\nr4 = 0\ncall bpf_loop\nr0 = 0\nexit\ncb: r1 = *(u64 *)(r2 +0)\ncall sub\nr0 = 0\nexit\nsub: r2 = map[name:p]\nr3 = 1\ncall bpf_tail_call\nr0 = 0\nexit';
    expect(refusal(text, TC)).toContain('cannot tail call within callback');
    expect(refusal(text.replace('call bpf_tail_call', 'r0 = 1'), TC)).toBe('accepted');
  });

  test('kernel 6.6 reserves the whole stack for a program that tail calls, where subprograms may not', () => {
    const text = 'r2 = map[name:p]\nr3 = 1\ncall bpf_tail_call\nr0 = 0\nexit';
    expect(xlateText(text, { ...TC, kernel: '6.6', tcc: 'mainline' }).functions[0]?.stackDepth).toBe(512);
    expect(xlateText(text, { ...TC, kernel: '6.6', tcc: 'stack-v1' }).functions[0]?.stackDepth).toBe(0);
    expect(xlateText(text, TC).functions[0]?.stackDepth).toBe(0);
  });

  test('kernels up to 7.2 mark functions that are looked at after one that tail calls', () => {
    const text =
      'r6 = r1\ncall a\nr1 = r6\ncall b\nr0 = 0\nexit\na: r2 = map[name:p]\nr3 = 1\ncall bpf_tail_call\nr0 = 0\nexit\nb: call c\nexit\nc: r0 = 0\nexit';
    const marks = (kernel: string): boolean[] =>
      xlateText(text, { ...TC, kernel, tcc: 'transparent' }).functions.map((fn) => fn.tailCallReachable);
    expect(marks('6.12')).toEqual([true, true, true, false]);
    expect(marks('7.3')).toEqual([true, true, false, false]);
  });
});

describe('functions', () => {
  test('a global function is walked with unknown arguments, a static one with those of its calls', () => {
    const text = 'r1 = 5\ncall f\nexit\nf: r0 = 0\nif r1 == 0x5 goto pc+1\nr0 = 1\nexit';
    expect(listing(xlateText(text)).length).toBe(5);
    expect(listing(xlateText(text, { linkage: { 3: 'global' } })).length).toBe(7);
  });

  test('one that nothing reaches is gone, with its place in the list', () => {
    const program = xlateText('r1 = 1\nif r1 == 0x1 goto pc+2\ncall f\nexit\nr0 = 0\nexit\nf: r0 = 3\nexit');
    expect(program.functions.map((fn) => fn.name)).toEqual(['main']);
    expect(program.insns.length).toBe(3);
  });

  test('kernel functions are called by address; an iterator loop is walked until nothing new happens', () => {
    const text =
      'r6 = r1\nr7 = 0\nr1 = r10\nr1 += -8\nr2 = 0\nr3 = 10\ncall kernel-function#1\nloop: r1 = r10\nr1 += -8\ncall kernel-function#2\nif r0 == 0x0 goto done\nr1 = *(u32 *)(r0 +0)\nr7 += r1\ngoto loop\ndone: r1 = r10\nr1 += -8\ncall kernel-function#3\nr0 = r7\nexit';
    const kfuncs = { 6: 'bpf_iter_num_new', 9: 'bpf_iter_num_next', 16: 'bpf_iter_num_destroy' };
    const program = xlateText(text, { kfuncs });
    expect(program.origin.filter(({ rule }) => rule === 'kfunc-address').length).toBe(3);
    expect(program.origin.filter(({ rule }) => rule === 'zero-extension').map(({ insn }) => insn)).toEqual([
      11,
    ]);
    expect(program.functions[0]?.stackDepth).toBe(8);
  });
});

test('every helper has a prototype', () => {
  for (let id = 1; id <= HELPER_MAX; id++) expect(helperProto(id), `helper ${id}`).toBeDefined();
});
