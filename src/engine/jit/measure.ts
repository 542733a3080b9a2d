import { BPF_CLASS } from '../bpf/insn';
import type { JitContext } from './context';
import { lowerInsn } from './lower/insn';
import { jumpDistance } from './lower/jump';

const TAKES_NEXT = 1;
const JUMP = 2;
/** Distances are even, so this one never occurs. */
const NEVER_TRANSLATED = 1;

/**
 * The rounds before there is an image: they settle how long the code becomes (spec 7.2), and nothing that they emit is kept.
 * So only that is translated whose length may differ from the pass before; all else is taken over. Without an image it
 * can differ for jumps, exits and calls alone, and for those only if they go further or less far, or the frame has
 * changed. What comes out is what translating everything would give, slot by slot.
 */
export class Measuring {
  /** What is to be done at each slot: TAKES_NEXT, JUMP, or nothing but to add its size. */
  private readonly steps: Uint8Array;
  /** {@link jumpDistance} of each jump in turn, as it was when the jump was translated last. */
  private readonly distances: Int32Array;
  /** {@link JitContext.seen} at the start of the round before; as long as it stays, so do frame and epilogues. */
  private seen = -1;

  /** @param ctx the dry run is behind it */
  constructor(private readonly ctx: JitContext) {
    const { code } = ctx.unit;
    this.steps = ctx.takesNext.slice();
    let jumps = 0;
    for (let i = 0; i < code.length; i++) {
      if (!isJump(code.opcode(i))) continue;
      this.steps[i] = JUMP;
      jumps++;
    }
    this.distances = new Int32Array(jumps).fill(NEVER_TRANSLATED);
  }

  /** A round's work on the body, in place of translating it. */
  readonly body = (): void => {
    const { ctx, steps, distances } = this;
    const { e, offset, sizes } = ctx;
    const sameFrame = ctx.seen === this.seen;
    this.seen = ctx.seen;
    let end = e.ninsns;
    let jump = 0;
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i];
      if (step === JUMP) {
        e.ninsns = end;
        const distance = jumpDistance(ctx, i);
        if (!sameFrame || distance !== distances[jump]) {
          distances[jump] = distance;
          lowerInsn(ctx, i);
          ctx.setSize(i, e.ninsns - end);
        }
        jump++;
      }
      end += sizes[i]!;
      if (step !== TAKES_NEXT) offset[i] = end;
    }
    e.ninsns = end;
  };
}

/** Classes JMP and JMP32: all jumps, exits and calls. */
const isJump = (opcode: number): boolean => {
  const cls = opcode & 7;
  return cls === BPF_CLASS.JMP || cls === BPF_CLASS.JMP32;
};
