import { describe, expect, it } from 'vitest';
import { walkFrame } from './testing/frame-walk';
import { recordedFunctions, recordedTrampolines } from './testing/recorded';

const RA = 1;
const T0 = 5;

describe('unwind rows', () => {
  it('are right at every instruction of every recorded function: prologue, body, both kinds of epilogue', () => {
    const problems: string[] = [];
    let instructions = 0;
    let epilogues = 0;
    for (const { label, fn } of recordedFunctions()) {
      const entry = Number(fn.bpfFunc - fn.base);
      const walked = walkFrame(fn.image.subarray(0, fn.finalLen), [entry], fn.unwind, [RA]);
      problems.push(...walked.problems.slice(0, 3).map((problem) => `${label}: ${problem}`));
      instructions += walked.reached.size;
      epilogues += fn.unwind.filter(
        (row, i) => i > 0 && row.cfa.register === 2 && row.cfa.offset === 0,
      ).length;
    }
    expect(problems.slice(0, 20)).toEqual([]);
    expect(instructions).toBeGreaterThan(20_000);
    expect(epilogues).toBeGreaterThan(1_500); // tail calls have their own
  });

  it('are right at every instruction of every recorded trampoline', () => {
    const problems: string[] = [];
    let instructions = 0;
    for (const { label, model, trampoline } of recordedTrampolines()) {
      const [row] = trampoline.unwind;
      // struct_ops stubs of kCFI kernels begin with a type word; entered from a patched entry both ra and t0 matter.
      const entry = trampoline.pieces[0]?.rule === 'trampoline/type-word' ? 4 : 0;
      const returns = model.structOps ? [RA] : [RA, T0];
      const walked = walkFrame(trampoline.image, [entry], trampoline.unwind, returns);
      problems.push(...walked.problems.slice(0, 3).map((problem) => `${label}: ${problem}`));
      instructions += walked.reached.size;
      expect(row?.returnRegister).toBe(model.structOps || (model.flags & 4) !== 0 ? RA : T0);
    }
    expect(problems.slice(0, 20)).toEqual([]);
    expect(instructions).toBeGreaterThan(4_000);
  });
});
