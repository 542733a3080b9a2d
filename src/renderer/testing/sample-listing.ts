import type { BpfRow, ListingView, NativeRow, SourceRow } from '../../shared/views';

/** A listing as the debugger gives it, for tests and previews: a small XDP program that tail-calls through a prog array. */

const SOURCE = `// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} jump_table SEC(".maps");

SEC("xdp")
int dispatch(struct xdp_md *ctx)
{
	__u64 now = bpf_ktime_get_ns();
	__u32 key = now & 3;

	bpf_printk("dispatch %d", key);
	bpf_tail_call(ctx, &jump_table, key);
	return XDP_DROP; /* empty slot, or no tail calls left */
}`.split('\n');

/** slot | source line | text | rewrite */
const BPF = `
0|15|r6 = r1|
1|15|call bpf_ktime_get_ns#5|helper: the verifier replaced the helper's number by the distance to its address
2|16|w7 = w0|
3|16|w7 &= 3|
4|18|r1 = map[id:2][0]+0 ll|map value: BPF_PSEUDO_MAP_VALUE became the address of the value in .rodata
5|18||continuation
6|18|w2 = 12|
7|18|w3 = w7|
8|18|call bpf_trace_printk#6|helper: the verifier replaced the helper's number by the distance to its address
9|19|r1 = r6|
10|19|r2 = map[id:1] ll|map: the file descriptor became the address of struct bpf_map
11|19||continuation
12|19|w3 = w7|
13|19|call bpf_tail_call#12|tail call: the helper call became BPF_JMP | BPF_TAIL_CALL
14|20|w0 = 1|
15|20|exit|`;

/** slot | part | bytes | text | why */
const NATIVE = `
-1|prologue|4|nop|prologue/entry-nops: room for the jump of an attached trampoline
-1|prologue|4|nop|prologue/entry-nops: room for the jump of an attached trampoline
-1|prologue|4|li a6, 33|tcc/init: the main program sets the tail call counter
-1|prologue|2|addi sp, sp, -64|prologue/frame: room for saved registers
-1|prologue|2|sd ra, 56(sp)|prologue/save: ra is overwritten by calls
-1|prologue|2|sd s0, 48(sp)|prologue/save: fp of the caller
-1|prologue|2|sd s1, 40(sp)|prologue/save: s1 holds R6
-1|prologue|2|sd s2, 32(sp)|prologue/save: s2 holds R7
-1|prologue|2|sd s6, 24(sp)|prologue/save: s6 keeps the TCC across helper calls
-1|prologue|2|addi s0, sp, 64|prologue/frame-pointer: fp is the caller's sp
0|body|2|mv s1, a0|alu/mov: r6 = r1
1|body|2|mv s6, a6|tcc/save-around-call: a helper may clobber a6
1|body|4|auipc ra, 0xfff82|call/helper: address of bpf_ktime_get_ns
1|body|4|jalr ra, 1456(ra) # bpf_ktime_get_ns|call/helper: address of bpf_ktime_get_ns
1|body|2|mv a6, s6|tcc/restore-after-call: the counter goes back to a6
1|body|2|mv a5, a0|call/return-value: R0 lives in a5
2|body|2|mv s2, a5|alu/mov: w7 = w0
2|body|2|slli s2, s2, 32|alu/zero-extend: the upper half of a 32-bit result is zero
2|body|2|srli s2, s2, 32|alu/zero-extend: the upper half of a 32-bit result is zero
3|body|2|andi s2, s2, 3|alu/and: w7 &= 3
4|body|4|lui a0, 0x80004|immediate/64: address of the value
4|body|2|addi a0, a0, 32|immediate/64: address of the value
6|body|2|li a1, 12|immediate/32
7|body|2|mv a2, s2|alu/mov: w3 = w7
8|body|2|mv s6, a6|tcc/save-around-call: a helper may clobber a6
8|body|4|auipc ra, 0xfff81|call/helper: address of bpf_trace_printk
8|body|4|jalr ra, -212(ra) # bpf_trace_printk|call/helper: address of bpf_trace_printk
8|body|2|mv a6, s6|tcc/restore-after-call: the counter goes back to a6
8|body|2|mv a5, a0|call/return-value: R0 lives in a5
9|body|2|mv a0, s1|alu/mov: r1 = r6
10|body|4|lui a1, 0x80003|immediate/64: address of struct bpf_map
10|body|2|addi a1, a1, 1024|immediate/64: address of struct bpf_map
12|body|2|mv a2, s2|alu/mov: w3 = w7
13|body|2|slli a2, a2, 32|tail-call/index: only 32 bits count
13|body|2|srli a2, a2, 32|tail-call/index: only 32 bits count
13|body|4|lwu t1, 36(a1)|tail-call/bounds: index >= max_entries is refused
13|body|4|bgeu a2, t1, 64|tail-call/bounds: index >= max_entries is refused
13|body|4|addi a6, a6, -1|tail-call/count: one tail call less
13|body|4|blt a6, zero, 56|tail-call/count: the count is used up
13|body|4|sh3add t2, a2, a1|tail-call/target: entry of the prog array
13|body|4|ld t2, 264(t2)|tail-call/target: entry of the prog array
13|body|4|beqz t2, 40|tail-call/target: an empty slot is refused
13|body|4|ld t3, 48(t2)|tail-call/jump: prog->bpf_func
13|body|2|ld ra, 56(sp)|tail-call/epilogue: the frame is given back
13|body|2|ld s0, 48(sp)|tail-call/epilogue: the frame is given back
13|body|2|ld s1, 40(sp)|tail-call/epilogue: the frame is given back
13|body|2|ld s2, 32(sp)|tail-call/epilogue: the frame is given back
13|body|2|ld s6, 24(sp)|tail-call/epilogue: the frame is given back
13|body|2|addi sp, sp, 64|tail-call/epilogue: the frame is given back
13|body|4|jr 12(t3)|tail-call/jump: past the entry nops and the TCC initialisation
14|body|2|li a5, 1|immediate/32
15|body|2|j 2|exit/jump: to the epilogue
-1|epilogue|2|ld ra, 56(sp)|epilogue/restore: ra
-1|epilogue|2|ld s0, 48(sp)|epilogue/restore: fp
-1|epilogue|2|ld s1, 40(sp)|epilogue/restore: s1
-1|epilogue|2|ld s2, 32(sp)|epilogue/restore: s2
-1|epilogue|2|ld s6, 24(sp)|epilogue/restore: s6
-1|epilogue|2|addi sp, sp, 64|epilogue/frame: back to the caller's sp
-1|epilogue|4|sext.w a0, a5|epilogue/return-value: R0 as a C int
-1|epilogue|2|ret|epilogue/return: to the caller`;

const BASE = 0xffffffff80100020n;

const lines = (text: string) => text.trim().split('\n');

const source: SourceRow[] = SOURCE.map((text, index) => ({
  file: 'tailcall_dispatch.c',
  line: index + 1,
  text,
  code: lines(BPF).some((line) => Number(line.split('|')[1]) === index + 1),
}));

const bpf: BpfRow[] = lines(BPF).map((line) => {
  const [slot = '', at = '', text = '', ...rule] = line.split('|');
  const rewrite = rule.join('|');
  const continuation = rewrite === 'continuation';
  return {
    slot: Number(slot),
    text,
    source: Number(at) - 1,
    rule: continuation || rewrite === '' ? undefined : rewrite,
    continuation,
  };
});

let offset = 0;
const native: NativeRow[] = lines(NATIVE).map((line, index) => {
  const [slot = '', part = 'body', size = '4', text = '', why = ''] = line.split('|');
  const row: NativeRow = {
    address: `0x${(BASE + BigInt(offset)).toString(16)}`,
    offset,
    bytes: ((index * 2654435761) >>> 0)
      .toString(16)
      .padStart(8, '0')
      .slice(0, Number(size) * 2),
    text,
    slot: Number(slot),
    why,
    part: part as NativeRow['part'],
  };
  offset += Number(size);
  return row;
});

export const SESSION = 'session-1';

export const sampleListing: ListingView = {
  session: SESSION,
  function: {
    key: 'dispatch/dispatch',
    program: 'dispatch',
    name: 'dispatch',
    kind: 'main',
    address: `0x${BASE.toString(16)}`,
    size: offset,
  },
  source,
  bpf,
  native,
};

/** The target of the tail call: short, without source. */
export const targetListing: ListingView = {
  session: SESSION,
  function: {
    key: 'pass/pass',
    program: 'pass',
    name: 'pass',
    kind: 'main',
    address: '0xffffffff80100200',
    size: 12,
  },
  source: [],
  bpf: [
    { slot: 0, text: 'w0 = 2', source: -1, continuation: false },
    { slot: 1, text: 'exit', source: -1, continuation: false },
  ],
  native: [
    {
      address: '0xffffffff80100200',
      offset: 0,
      bytes: '13000000',
      text: 'nop',
      slot: -1,
      why: 'prologue/entry-nops',
      part: 'prologue',
    },
    {
      address: '0xffffffff80100204',
      offset: 4,
      bytes: '1300',
      text: 'li a5, 2',
      slot: 0,
      why: 'immediate/32',
      part: 'body',
    },
    {
      address: '0xffffffff80100206',
      offset: 6,
      bytes: '13000000',
      text: 'sext.w a0, a5',
      slot: -1,
      why: 'epilogue/return-value',
      part: 'epilogue',
    },
    {
      address: '0xffffffff8010020a',
      offset: 10,
      bytes: '8280',
      text: 'ret',
      slot: -1,
      why: 'epilogue/return',
      part: 'epilogue',
    },
  ],
};
