import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bytesToHex, hexToBytes } from '../base/hex';
import { assemble } from './assemble';
import { decodeInsns } from './bytes';
import { BpfInterpreter } from './interpret';
import type { BpfHost, BpfMemory } from './interpret-host';

const CTX = 0xffffffd6_00001000n;
const STACK = 0xffffffc6_00000000n;
const STACK_BYTES = 272 * 512;

/** Some byte ranges at kernel-like addresses. */
function memoryOf(ranges: readonly { readonly base: bigint; readonly bytes: Uint8Array }[]): BpfMemory {
  const find = (address: bigint, size: number): DataView | undefined => {
    const range = ranges.find(
      (r) => address >= r.base && address + BigInt(size) <= r.base + BigInt(r.bytes.length),
    );
    return (
      range && new DataView(range.bytes.buffer, range.bytes.byteOffset + Number(address - range.base), size)
    );
  };
  return {
    load(address, size) {
      const view = find(address, size);
      if (!view) return undefined;
      return size === 8
        ? view.getBigUint64(0, true)
        : BigInt(
            size === 4 ? view.getUint32(0, true) : size === 2 ? view.getUint16(0, true) : view.getUint8(0),
          );
    },
    store(address, size, value) {
      const view = find(address, size);
      if (!view) return false;
      for (let i = 0; i < size; i++) view.setUint8(i, Number((value >> BigInt(8 * i)) & 0xffn));
      return true;
    },
  };
}

function hostOf(ctx: Uint8Array, more: Partial<BpfHost> = {}): BpfHost {
  const memory = memoryOf([
    { base: CTX, bytes: ctx },
    { base: STACK, bytes: new Uint8Array(STACK_BYTES) },
  ]);
  return { memory, stackTop: STACK + BigInt(STACK_BYTES), ...more };
}

const run = (text: string, more: Partial<BpfHost> = {}, ctx = new Uint8Array(64)): bigint =>
  new BpfInterpreter({ name: 'test', insns: assemble(text).insns }, hostOf(ctx, more), [CTX]).run(1_000_000);

describe('BpfInterpreter', () => {
  type Recorded = [name: string, insns: string, runs: [ctxIn: string, retval: number, ctxOut: string][]];
  const recorded = JSON.parse(
    gunzipSync(readFileSync(new URL('../../../test/golden/bpf/runs.json.gz', import.meta.url))).toString(),
  ) as Recorded[];

  it(`gives what a kernel gave for ${recorded.length} recorded programs`, () => {
    expect(recorded.length).toBeGreaterThan(400);
    for (const [name, insns, runs] of recorded) {
      const code = { name, insns: decodeInsns(hexToBytes(insns)) };
      for (const [ctxIn, retval, ctxOut] of runs) {
        const ctx = hexToBytes(ctxIn);
        const value = new BpfInterpreter(code, hostOf(ctx), [CTX]).run();
        expect([name, Number(value & 0xffffffffn), bytesToHex(ctx)]).toEqual([name, retval, ctxOut]);
      }
    }
  });

  it.each([
    ['r0 = 7\nr1 = 0\nr0 /= r1\nexit', 0n],
    ['r0 = 7\nr1 = 0\nr0 %= r1\nexit', 7n],
    ['r0 = -7\nw1 = 0\nw0 %= w1\nexit', 0xfffffff9n],
    ['r0 = 0x8000000000000000\nr1 = -1\nr0 s/= r1\nexit', 1n << 63n],
    ['r0 = 0x8000000000000000\nr1 = -1\nr0 s%= r1\nexit', 0n],
    ['w0 = -2147483648\nw1 = -1\nw0 s/= w1\nexit', 0x80000000n],
    ['r0 = 0x1122334455667788\nr0 = bswap32 r0\nexit', 0x88776655n],
    ['r0 = 0x1122334455667788\nr0 = le16 r0\nexit', 0x7788n],
    ['r0 = 1\nr1 = 65\nr0 <<= r1\nexit', 2n],
    ['r0 = -1\nw0 = (s8)w0\nexit', 0xffffffffn],
    ['r0 = 128\nr0 = (s8)r0\nexit', 0xffffffff_ffffff80n],
  ])('%j gives %s', (text, expected) => {
    expect(run(text)).toBe(expected);
  });

  it('keeps r6 to r9 and the frame pointer over calls and gives each frame its stack', () => {
    const text = `
      r6 = 5
      *(u64 *)(r10 -8) = 3
      r1 = 4
      call f
      r1 = *(u64 *)(r10 -8)
      r0 += r6
      r0 += r1
      exit
    f: r6 = 1000
      *(u64 *)(r10 -8) = r1
      r0 = *(u64 *)(r10 -8)
      exit`;
    expect(run(text)).toBe(12n);
  });

  it('runs helpers, and helpers that call back', () => {
    const text = `
      r6 = 0
      *(u64 *)(r10 -8) = r6
      r1 = 4
      r2 = subprog[add]
      r3 = r10
      r3 += -8
      r4 = 0
      call bpf_loop
      r1 = *(u64 *)(r10 -8)
      r0 *= 100
      r0 += r1
      exit
    add:
      r3 = *(u64 *)(r2 +0)
      r3 += r1
      *(u64 *)(r2 +0) = r3
      r0 = 0
      exit`;
    const loop = (
      n: bigint,
      callback: bigint,
      ctx: bigint,
      i = 0n,
    ): ReturnType<NonNullable<BpfHost['helper']>> =>
      i === n ? n : { callback, args: [i, ctx], then: () => loop(n, callback, ctx, i + 1n) };
    expect(run(text, { helper: (_, [n = 0n, callback = 0n, ctx = 0n]) => loop(n, callback, ctx) })).toBe(
      406n,
    );
  });

  it('replaces the frame in a tail call and falls through when it is not taken', () => {
    const next = { name: 'next', insns: assemble('r0 = *(u64 *)(r1 +0)\nexit').insns };
    const text =
      'r6 = r1\nr2 = 77\nr3 = 1\ncall bpf_tail_call\nr1 = r6\nr2 = 77\nr3 = 0\ntail_call\nr0 = 0\nexit';
    const asked: bigint[] = [];
    const tailCall: BpfHost['tailCall'] = (_ctx, map, index) => {
      asked.push(map, index);
      return index === 0n ? next : undefined;
    };
    const ctx = new Uint8Array(8).fill(1);
    expect(run(text, { tailCall }, ctx)).toBe(0x0101010101010101n);
    expect(asked).toEqual([77n, 1n, 77n, 0n]);
  });

  it('clears the register of a probing load that faults and stops at one that does not probe', () => {
    expect(run('r0 = 1\nr1 = 0\nr0 = *(u64 *)(r1 +0) probe_mem\nexit')).toBe(0n);
    expect(() => run('r1 = 0\nr0 = *(u64 *)(r1 +16)\nexit')).toThrow(
      expect.objectContaining({
        code: 'bpf/fault',
        message: expect.stringContaining('load of 8 bytes at 0x10'),
      }),
    );
  });

  it('names what the run does not offer, endless loops and code without an end', () => {
    expect(() => run('call bpf_ktime_get_ns\nexit')).toThrow(
      /instruction 0 \(call bpf_ktime_get_ns#5\) needs helpers/,
    );
    expect(() => run('a: goto a')).toThrow(expect.objectContaining({ code: 'bpf/limit' }));
    expect(() => run('r0 = 0')).toThrow(/lies outside of the program/);
    expect(() => run('f: call f\nexit')).toThrow(/more than 272 calls/);
  });

  it('shows its state step by step', () => {
    const it = new BpfInterpreter(
      { name: 't', insns: assemble('r1 = 0x5\ncall f\nexit\nf: r0 = r1\nexit').insns },
      hostOf(new Uint8Array(8)),
    );
    const seen: (readonly [number, number, number])[] = [];
    do seen.push([it.pc, it.frames.length, it.undefinedRegisters & 0b111111]);
    while (it.step().kind === 'step');
    expect(seen).toEqual([
      [0, 1, 0b111111],
      [2, 1, 0b111101],
      [4, 2, 0b000001],
      [5, 2, 0b000000],
      [3, 1, 0b111110],
    ]);
    expect(it.current).toBeUndefined();
    expect(it.steps).toBe(5);
  });
});
