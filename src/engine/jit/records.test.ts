import { describe, expect, it } from 'vitest';
import { parseProfile } from './profile';
import { nativeRangeOf, slotAt, why } from './lookup';
import { RULE_NAMES } from './rules';
import { compileProgram } from './subprograms';
import { recordedFunctions, recordedTrampolines } from './testing/recorded';
import type { FrameLayout, JitFunction, Piece } from './types';

/** Pieces lie side by side from 0 to the end and none is empty. */
function gaps(pieces: readonly Piece[], end: number): string[] {
  const found: string[] = [];
  let at = 0;
  for (const piece of pieces) {
    if (piece.from !== at || piece.to <= piece.from)
      found.push(`${piece.rule} ${piece.from}..${piece.to} after ${at}`);
    at = piece.to;
  }
  if (at !== end) found.push(`the last piece ends at ${at}, the code at ${end}`);
  return found;
}

/** Slots lie side by side from the top of the frame to its bottom. */
function holes({ slots, size }: FrameLayout, top: number): string[] {
  const found: string[] = [];
  let at = top;
  for (const slot of slots) {
    if (slot.fpOffset + slot.size !== at)
      found.push(`${slot.name} at fp${slot.fpOffset}, ${slot.size} bytes, below ${at}`);
    if (slot.spOffset - slot.fpOffset !== size - top) found.push(`${slot.name}: sp and fp offsets disagree`);
    at = slot.fpOffset;
  }
  if (at !== top - size) found.push(`the lowest slot ends at fp${at}, the frame has ${size} bytes`);
  return found;
}

describe('records of the selection', () => {
  it('pieces cover every byte, agree with the slots, and every rule occurs', () => {
    const problems: string[] = [];
    const rules = new Set<string>();
    for (const { label, fn } of recordedFunctions()) {
      problems.push(...gaps(fn.pieces, fn.finalLen).map((gap) => `${label}: ${gap}`));
      for (const piece of fn.pieces) {
        rules.add(piece.rule);
        if (piece.insn !== (slotAt(fn, piece.from) ?? -1))
          problems.push(`${label}: ${piece.rule} of slot ${piece.insn}`);
      }
    }
    for (const { label, trampoline } of recordedTrampolines()) {
      problems.push(...gaps(trampoline.pieces, trampoline.image.length).map((gap) => `${label}: ${gap}`));
      for (const piece of trampoline.pieces) rules.add(piece.rule);
    }
    expect(problems.slice(0, 10)).toEqual([]);
    // Beyond ±1 MiB only the recipes go; extensions of running programs are in no record.
    const elsewhere = ['branch/relaxed-32', 'tcc/keep-place'];
    expect(RULE_NAMES.filter((name) => !rules.has(name))).toEqual(expect.arrayContaining(elsewhere));
    expect(RULE_NAMES.filter((name) => !rules.has(name) && !elsewhere.includes(name))).toEqual([]);
  });

  it('frames have no holes', () => {
    const problems: string[] = [];
    for (const { label, fn } of recordedFunctions()) {
      problems.push(...holes(fn.frame, 0).map((hole) => `${label}: ${hole}`));
      expect(fn.frame.size).toBe(fn.stackSize);
    }
    for (const { label, model, trampoline } of recordedTrampolines()) {
      problems.push(...holes(trampoline.frame, model.structOps ? 0 : 16).map((hole) => `${label}: ${hole}`));
    }
    expect(problems.slice(0, 10)).toEqual([]);
  });

  it('slots and native code map onto each other', () => {
    for (const { label, fn } of recordedFunctions()) {
      let at = fn.prologueLen;
      for (let slot = 0; slot < fn.end - fn.start; slot++) {
        const range = nativeRangeOf(fn, slot);
        if (range?.from !== at)
          throw new Error(`${label}: slot ${slot} begins at ${range?.from}, not at ${at}`);
        at = range.to;
        if (range.to > range.from && slotAt(fn, range.from) !== slot)
          throw new Error(`${label}: slot ${slot}`);
      }
      expect(at).toBe(fn.epilogueOffset);
      expect(slotAt(fn, fn.epilogueOffset)).toBeUndefined();
      expect(slotAt(fn, 0)).toBeUndefined();
    }
  });

  it('pass logs shrink to the final size and name every pass', () => {
    let seen = 0;
    for (const { label, fn } of recordedFunctions()) {
      if (++seen % 25 !== 0) continue;
      const { passes } = fn.passes;
      expect(passes[0]?.kind, label).toBe('dry-run');
      const last = passes.at(-1)!;
      expect([last.kind, last.total], label).toEqual(['final', fn.finalLen]);
      expect(Array.from(last.sizes), label).toEqual(
        Array.from(fn.ends, (end, i) => end - (i > 0 ? fn.ends[i - 1]! : fn.prologueLen)),
      );
      const before = passes.at(-2)!;
      expect(before.total, label).toBe(last.total);
    }
  });
});

/** ld_imm64, a load with the zero extension that it swallows, and a 32-bit sum whose extension stays. */
function example(): JitFunction {
  const insns = [
    { code: 0x18, dst: 1, src: 0, off: 0, imm: 0x1234_5678 },
    { code: 0, dst: 0, src: 0, off: 0, imm: 0x1234 },
    { code: 0x61, dst: 0, src: 1, off: 4, imm: 0 },
    { code: 0xbc, dst: 0, src: 0, off: 0, imm: 1 },
    { code: 0x04, dst: 0, src: 0, off: 0, imm: 7 },
    { code: 0xbc, dst: 0, src: 0, off: 0, imm: 1 },
    { code: 0x95, dst: 0, src: 0, off: 0, imm: 0 },
  ];
  const { functions } = compileProgram(
    parseProfile(),
    {
      name: 'example',
      insns,
      subprogs: [{ name: 'example', start: 0, stackDepth: 0, tailCallReachable: false }],
      verifierZext: true,
      callBase: 0xffffffff80200000n,
      addresses: { perCpuOffset: 0n },
    },
    { place: () => 0xffffffff78000000n },
  );
  return functions[0]!;
}

describe('slots without code of their own', () => {
  const fn = example();
  it('have empty ranges behind the slot that took them along', () => {
    const ranges = [0, 1, 2, 3, 4, 5].map((slot) => {
      const { from, to } = nativeRangeOf(fn, slot)!;
      return to - from;
    });
    expect(ranges[1]).toBe(0);
    expect(ranges[3]).toBe(0);
    expect(ranges[0]).toBeGreaterThan(8);
    expect(ranges[2]).toBe(4);
    expect(slotAt(fn, nativeRangeOf(fn, 2)!.from)).toBe(2);
    expect(nativeRangeOf(fn, 7)).toBeUndefined();
  });
  it('keep the kernel’s first guess in the raw table', () => {
    expect([...fn.offsets].map((offset, i) => offset === 64 * (i + 1))).toEqual([
      true,
      false,
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});

it('why tells the rule of any byte, and nothing outside the code', () => {
  const fn = example();
  expect(why(fn, 0)?.rule).toBe('prologue/entry-nops');
  expect(why(fn, 8)?.rule).toBe('tcc/init');
  expect(why(fn, nativeRangeOf(fn, 5)!.from)?.rule).toBe('alu/explicit-zero-extend');
  expect(why(fn, fn.finalLen - 1)?.rule).toBe('epilogue/return');
  expect(why(fn, fn.finalLen)).toBeUndefined();
});
