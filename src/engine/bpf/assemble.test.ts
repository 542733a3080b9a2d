import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../base/errors';
import { bytesToHex, hexToBytes } from '../base/hex';
import { Random } from '../base/testing/random';
import { assemble } from './assemble';
import { decodeInsns, encodeInsns } from './bytes';
import type { BpfInsn } from './insn';
import { isSecondSlot, printInsn } from './print';
import { allOps, type BpfOp } from './table';
import { validateProgram } from './validate';

const listing = (insns: readonly BpfInsn[]): string =>
  insns.flatMap((_, i) => (isSecondSlot(insns, i) ? [] : [printInsn(insns, i)])).join('\n');

/** Random contents for the fields that the operation uses. */
function randomInsn(random: Random, op: BpfOp): BpfInsn[] {
  const reg = (): number => random.below(10);
  const off = (): number => random.between(-0x8000, 0x7fff);
  const imm = (): number => random.u32() | 0;
  const insn = (fields: Partial<BpfInsn>): BpfInsn => ({
    code: op.code,
    dst: 0,
    src: 0,
    off: 0,
    imm: 0,
    ...fields,
  });
  switch (op.kind) {
    case 'alu': {
      if (op.op === 'neg') return [insn({ dst: reg() })];
      const signed = op.op === 'div' || op.op === 'mod' ? random.below(2) : 0;
      if (op.source === 'imm') return [insn({ dst: reg(), off: signed, imm: random.between(1, 31) })];
      const move = op.op === 'mov' ? random.pick(op.width === 64 ? [0, 8, 16, 32] : [0, 8, 16]) : signed;
      return [insn({ dst: reg(), src: reg(), off: move })];
    }
    case 'end':
      return [insn({ dst: reg(), imm: random.pick([16, 32, 64]) })];
    case 'ld_imm64':
      return [insn({ dst: reg(), imm: imm() }), { code: 0, dst: 0, src: 0, off: 0, imm: imm() }];
    case 'ld_abs':
      return [insn({ imm: imm() })];
    case 'ld_ind':
      return [insn({ src: reg(), imm: imm() })];
    case 'ldx':
    case 'stx':
      return [insn({ dst: reg(), src: reg(), off: off() })];
    case 'st':
      return [insn({ dst: reg(), off: off(), imm: imm() })];
    case 'atomic': {
      const small = [0x100, 0x110];
      const all = [0, 1, 0x40, 0x41, 0x50, 0x51, 0xa0, 0xa1, 0xe1, 0xf1, ...small];
      return [insn({ dst: reg(), src: reg(), off: off(), imm: random.pick(op.size < 4 ? small : all) })];
    }
    case 'goto':
      return [op.long ? insn({ imm: imm() }) : insn({ off: off() })];
    case 'may_goto':
      return [insn({ off: off() })];
    case 'branch':
      return [insn({ dst: reg(), off: off(), ...(op.source === 'imm' ? { imm: imm() } : { src: reg() }) })];
    case 'call':
      return [insn({ src: random.below(3), imm: random.between(1, 211) })];
    default:
      return [insn({})];
  }
}

describe('assemble', () => {
  it('gives back what the printer printed, for every operation', () => {
    const random = new Random(2024);
    const insns = allOps().flatMap((op) => Array.from({ length: 20 }, () => randomInsn(random, op)).flat());
    const back = assemble(listing(insns)).insns;
    expect(back.length).toBe(insns.length);
    expect(back).toEqual(insns);
  });

  it('gives back every program of the recorded runs', () => {
    const file = new URL('../../../test/golden/bpf/runs.json.gz', import.meta.url);
    const recorded = JSON.parse(gunzipSync(readFileSync(file)).toString()) as [name: string, insns: string][];
    for (const [name, hex] of recorded) {
      const insns = decodeInsns(hexToBytes(hex));
      expect([name, bytesToHex(encodeInsns(assemble(listing(insns)).insns))]).toEqual([name, hex]);
    }
  });

  it('prints any bytes and refuses any text with an EngineError', () => {
    const random = new Random(99);
    for (let round = 0; round < 2000; round++) {
      const bytes = Uint8Array.from({ length: 8 * random.between(1, 6) }, () => random.u32());
      const text = listing(decodeInsns(bytes));
      const at = random.below(text.length);
      const broken =
        text.slice(0, at) + String.fromCharCode(random.between(32, 126)) + text.slice(at + random.below(3));
      try {
        assemble(broken);
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
        expect(error.message).toMatch(/^Line \d+: /);
      }
    }
  });

  it('resolves labels of jumps, calls and function pointers', () => {
    const { insns, labels, lines } = assemble(`
      start:
        r1 = 0x5          // two slots
        if r1 == 0 goto out
        call work         ; a subprogram
        call bpf_ktime_get_ns
        r2 = subprog[work]
        goto start
      out: exit
      # a subprogram of its own
      work:
        w0 = 1
        exit
    `);
    expect(labels).toEqual(new Map(Object.entries({ start: 0, out: 8, work: 9 })));
    expect(insns[2]).toMatchObject({ code: 0x15, off: 5 });
    expect(insns[3]).toEqual({ code: 0x85, dst: 0, src: 1, off: 0, imm: 5 });
    expect(insns[4]).toEqual({ code: 0x85, dst: 0, src: 0, off: 0, imm: 5 });
    expect(insns[5]).toMatchObject({ code: 0x18, src: 4, imm: 3 });
    expect(insns[7]).toMatchObject({ code: 0x05, off: -8 });
    expect(lines.slice(0, 3)).toEqual([3, 3, 4]);
    expect(() => validateProgram(insns)).not.toThrow();
  });

  it('reads verifier logs with slot numbers and opcodes, and records maps by name', () => {
    const { insns, maps } = assemble(
      '0: (18) r1 = map[name:hits]\n2: (18) r2 = map[name:a.data][0]+16\n4: (95) exit',
    );
    expect(maps).toEqual([
      { insn: 0, map: 'hits' },
      { insn: 2, map: 'a.data', offset: 16 },
    ]);
    expect(Buffer.from(encodeInsns(insns)).toString('hex')).toBe(
      '18110000000000000000000000000000' + '18220000000000000000000010000000' + '9500000000000000',
    );
  });

  it.each([
    ['r0 = 1\nfoo bar', /^Line 2: this is no BPF instruction: 'foo bar'\.$/],
    ['goto nowhere', /^Line 1: there is no such label or helper: 'nowhere'\.$/],
    ['r16 = 1', /no register 16/],
    ['r1 += 0x100000000', /does not fit in 32 bits/],
    ['r1 = *(u8 *)(r2 +40000)', /16 bits of an offset/],
    ['r1 = w2', /both sides of a move/],
    ['if r1 == w2 goto pc+1', /both sides of a comparison/],
    ['r1 = be16 r2', /in place/],
    ['r2 = atomic64_xchg((u64 *)(r1 +0), r3)', /the old value comes back in r3/],
    ['lock *(u8 *)(r1 +0) += r2', /32 or 64 bits/],
    ['a: exit\na: exit', /Line 2: the label a is there already/],
  ])('refuses %j', (text, message) => {
    expect(() => assemble(text)).toThrow(
      expect.objectContaining({ code: 'bpf/assemble', message: expect.stringMatching(message) }),
    );
  });
});
