import { describe, expect, it } from 'vitest';
import { hexToBytes } from '../base/hex';
import { decodeInsns } from './bytes';
import { printInsn } from './print';

/** Bytes of one instruction (or ld_imm64) and its text, as verifier logs and bpftool show it. */
const CASES: readonly (readonly [hex: string, text: string])[] = [
  ['bf16000000000000', 'r6 = r1'],
  ['bc16000000000000', 'w6 = w1'],
  ['bc66000001000000', 'w6 = w6 zext'],
  ['b7000000eaffffff', 'r0 = -22'],
  ['b4000000eaffffff', 'w0 = -22'],
  ['0701000010000000', 'r1 += 16'],
  ['1f21000000000000', 'r1 -= r2'],
  ['c701000020000000', 'r1 s>>= 32'],
  ['3f21010000000000', 'r1 s/= r2'],
  ['9401010007000000', 'w1 s%= 7'],
  ['8701000000000000', 'r1 = -r1'],
  ['bf21080000000000', 'r1 = (s8)r2'],
  ['bc21100000000000', 'w1 = (s16)w2'],
  ['bf21200000000000', 'r1 = (s32)r2'],
  ['bf21ffff00000000', 'r1 = &(void __percpu *)(r2)'],
  ['bf01010001000000', 'r1 = addr_space_cast(r0, 0, 1)'],
  ['bf01010000000100', 'r1 = addr_space_cast(r0, 1, 0)'],
  ['dc01000010000000', 'r1 = be16 r1'],
  ['d401000020000000', 'r1 = le32 r1'],
  ['d701000040000000', 'r1 = bswap64 r1'],
  ['7910080000000000', 'r0 = *(u64 *)(r1 +8)'],
  ['7110f8ff00000000', 'r0 = *(u8 *)(r1 -8)'],
  ['9110000000000000', 'r0 = *(s8 *)(r1 +0)'],
  ['3910080000000000', 'r0 = *(u64 *)(r1 +8) probe_mem'],
  ['b910080000000000', 'r0 = *(u64 *)(r1 +8) probe_mem32'],
  ['7b1af8ff00000000', '*(u64 *)(r10 -8) = r1'],
  ['620afcff05000000', '*(u32 *)(r10 -4) = 5'],
  ['db21000000000000', 'lock *(u64 *)(r1 +0) += r2'],
  ['c321040040000000', 'lock *(u32 *)(r1 +4) |= r2'],
  ['db31000001000000', 'r3 = atomic64_fetch_add((u64 *)(r1 +0), r3)'],
  ['c3211000a1000000', 'r2 = atomic_fetch_xor((u32 *)(r1 +16), r2)'],
  ['db310800e1000000', 'r3 = atomic64_xchg((u64 *)(r1 +8), r3)'],
  ['c3210000f1000000', 'r0 = atomic_cmpxchg((u32 *)(r1 +0), r0, r2)'],
  ['d3a5f8ff00010000', 'r5 = load_acquire((u8 *)(r10 -8))'],
  ['db5af8ff10010000', 'store_release((u64 *)(r10 -8), r5)'],
  ['fb21000000000000', 'lock *(u64 *)(r1 +0) += r2 probe_atomic'],
  ['200000000e000000', 'r0 = *(u32 *)skb[14]'],
  ['506000000e000000', 'r0 = *(u8 *)skb[r6 + 14]'],
  ['0500feff00000000', 'goto pc-2'],
  ['0600000070110100', 'gotol pc+70000'],
  ['e500030000000000', 'may_goto pc+3'],
  ['1501840000000000', 'if r1 == 0x0 goto pc+132'],
  ['a506020033000000', 'if r6 < 0x33 goto pc+2'],
  ['c501feffffffffff', 'if r1 s< 0xffffffff goto pc-2'],
  ['6e210500ff000000', 'if w1 s> w2 goto pc+5'],
  ['4601050001000000', 'if w1 & 0x1 goto pc+5'],
  ['8500000001000000', 'call bpf_map_lookup_elem#1'],
  ['85000000ffff0000', 'call unknown#65535'],
  ['8510000007000000', 'call pc+7'],
  ['8520000037000000', 'call kernel-function#55'],
  ['f500000000000000', 'tail_call'],
  ['9500000000000000', 'exit'],
  ['c200000000000000', 'nospec'],
  ['18010000785634120000000001000000', 'r1 = 0x112345678'],
  ['18110000030000000000000000000000', 'r1 = map[fd:3]'],
  ['18210000030000000000000008000000', 'r1 = map[fd:3][0]+8'],
  ['18410000170000000000000000000000', 'r1 = subprog[+23]'],
  ['ff00000000000000', '.byte/(ff)'],
  ['0000000000000000', '.byte/(00)'],
];

describe('printInsn', () => {
  it.each(CASES)('%s is %s', (hex, text) => {
    expect(printInsn(decodeInsns(hexToBytes(hex)), 0)).toBe(text);
  });

  it('prints the names that the caller knows', () => {
    const insns = decodeInsns(
      hexToBytes('18110000000000000000000000000000' + '8500000070c40100' + '8510000002000000'),
    );
    const options = {
      note: (slot: number) => (slot === 0 ? 'map[name:hits]' : undefined),
      callName: (_: unknown, slot: number) => (slot === 2 ? 'bpf_ktime_get_ns' : 'level2'),
    };
    expect(insns.map((_, i) => printInsn(insns, i, options))).toEqual([
      'r1 = map[name:hits]',
      '',
      'call bpf_ktime_get_ns#115824',
      'call pc+2#level2',
    ]);
  });

  it('prints a slot outside of the code as nothing', () => {
    expect(printInsn([], 3)).toBe('');
  });
});
