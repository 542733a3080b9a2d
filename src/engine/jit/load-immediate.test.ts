import { expect, it } from 'vitest';
import { decode } from '../rv64/decode';
import { Emitter } from './emit';
import { emitImm64, emitImmBig } from './load-immediate';

const T1 = 6;

/** Runs a sequence of li, lui, addi, addiw, slli on one register. */
function evaluate(code: Uint16Array, length: number): bigint {
  let value = 0n;
  for (let at = 0; at < length;) {
    const insn = decode((code[at] ?? 0) | ((code[at + 1] ?? 0) << 16))!;
    const from = insn.rs1 === 0 ? 0n : value;
    switch (insn.base.mnemonic) {
      case 'lui':
        value = BigInt.asIntN(32, BigInt(insn.imm) << 12n);
        break;
      case 'addi':
        value = BigInt.asIntN(64, from + BigInt(insn.imm));
        break;
      case 'addiw':
        value = BigInt.asIntN(32, from + BigInt(insn.imm));
        break;
      case 'slli':
        value = BigInt.asIntN(64, from << BigInt(insn.imm));
        break;
      default:
        throw new Error(`${insn.base.mnemonic} in a constant`);
    }
    at += insn.size / 2;
  }
  return value;
}

function loaded(value: bigint, rvc: boolean): { value: bigint; halfwords: number } {
  const e = new Emitter(rvc, false, false);
  const code = new Uint16Array(32);
  e.attach(code);
  emitImmBig(e, T1, value);
  return { value: evaluate(code, e.ninsns), halfwords: e.ninsns };
}

/** xorshift64, fixed seed. */
function* randomValues(count: number): Generator<bigint> {
  let x = 0x9e3779b97f4a7c15n;
  for (let i = 0; i < count; i++) {
    x ^= BigInt.asUintN(64, x << 13n);
    x ^= x >> 7n;
    x ^= BigInt.asUintN(64, x << 17n);
    const bits = 1n + (x % 64n);
    const value = BigInt.asIntN(64, x >> (64n - bits));
    yield i % 2 === 0 ? value : BigInt.asIntN(64, value << (x % 40n));
  }
}

const EDGES = [0n, 1n, -1n, 31n, 32n, -32n, -33n, 2047n, 2048n, -2048n, -2049n, 0x7fff_f7ffn, 0x7fff_f800n, 0x7fff_ffffn,
  -0x8000_0000n, 0x8000_0000n, 0xffff_ffffn, 1n << 32n, (1n << 63n) - 1n, -(1n << 63n), 0x7fff_ffff_ffff_f800n, 0x7fff7ff7ff7ff7ffn]; // prettier-ignore

it.each([true, false])('a constant is what its code computes (compressed: %s)', (rvc) => {
  for (const value of [...EDGES, ...randomValues(20_000)]) {
    expect(loaded(value, rvc).value).toBe(value);
  }
});

it('0x7fff7ff7ff7ff7ff takes the longest code', () => {
  for (const rvc of [true, false]) {
    const longest = loaded(0x7fff7ff7ff7ff7ffn, rvc).halfwords;
    for (const value of randomValues(5_000))
      expect(loaded(value, rvc).halfwords).toBeLessThanOrEqual(longest);
  }
});

it('halves are signed 32-bit numbers', () => {
  const e = new Emitter(true, false, false);
  const code = new Uint16Array(32);
  e.attach(code);
  emitImm64(e, T1, -1, 0x1234_5678);
  expect(evaluate(code, e.ninsns)).toBe(-(1n << 32n) + 0x1234_5678n);
});
