import { BPF_CLASS, BPF_JMP_OP, CALL, EXIT, TAIL_CALL } from '../bpf/insn';
import type { JitContext } from './context';
import { lowerInsn } from './lower/insn';
import type { UnitCode } from './unit-code';

/** Jumps go to the end of a slot, which is given by its number; -1, the end of no slot, is that of the prologue. */
const EPILOGUE = -2;

/**
 * The rounds before there is an image: they settle how long the code becomes (spec 7.2), and nothing that they emit is kept.
 * So only that is translated whose length may differ from the round before; all else is taken over. Without an image these
 * are jumps, exits and tail calls that go further or less far, and, if the frame has changed, all of them and all calls. What
 * comes out is what translating everything would give, slot by slot.
 */
export class Measuring {
  /** Slots of calls. Their length depends on the frame alone, since without an image they have their long form. */
  private readonly calls: Int32Array;
  /** Slots of jumps, exits and tail calls. */
  private readonly jumps: Int32Array;
  /** Where each of them goes. */
  private readonly targets: Int32Array;
  /** Halfwords from each to its target when it was translated last. */
  private readonly distances: Int32Array;
  /** {@link JitContext.seen} at the start of the round before, if there was one; as long as it stays, so does the frame. */
  private seen: number | undefined;

  /** @param ctx the dry run is behind it */
  constructor(private readonly ctx: JitContext) {
    const { code } = ctx.unit;
    const calls: number[] = [];
    const jumps: number[] = [];
    for (let i = 0; i < code.length; i++) {
      const opcode = code.opcode(i);
      if (opcode === CALL) calls.push(i);
      else if (isJump(opcode)) jumps.push(i);
    }
    this.calls = Int32Array.from(calls);
    this.jumps = Int32Array.from(jumps);
    this.targets = this.jumps.map((i) => targetOf(code, i));
    this.distances = new Int32Array(jumps.length);
  }

  /** A round's work on the body, in place of translating it. */
  readonly body = (): void => {
    const { ctx, jumps, targets, distances } = this;
    const { e, offset, sizes } = ctx;
    const { length } = sizes;
    const sameFrame = ctx.seen === this.seen;
    this.seen = ctx.seen;
    let end = e.ninsns;
    if (!sameFrame) for (const call of this.calls) this.translate(call, end);

    let slot = 0;
    /** Halfwords by which the code lies further on than in the round before; none behind the same prologue. */
    let shift = 0;
    for (let k = 0; k <= jumps.length; k++) {
      const jump = k < jumps.length ? jumps[k]! : length;
      if (slot < jump) {
        if (!sameFrame) this.place(slot, jump, end);
        else if (shift !== 0) this.move(slot, jump, shift);
        end = offset[jump - 1]!;
      }
      if (jump === length) break;

      const target = targets[k]!;
      const distance = (target >= 0 ? offset[target]! : this.positionOf(target)) - end;
      if (!sameFrame || distance !== distances[k]) {
        distances[k] = distance;
        this.translate(jump, end);
      }
      end += sizes[jump]!;
      shift = end - offset[jump]!;
      offset[jump] = end;
      slot = jump + 1;
    }
    e.ninsns = end;
  };

  /** Finds out the length of one slot's code at position `at`. */
  private translate(slot: number, at: number): void {
    const { e } = this.ctx;
    e.ninsns = at;
    lowerInsn(this.ctx, slot);
    this.ctx.setSize(slot, e.ninsns - at);
  }

  /** The slots from `from` up to `to` follow each other from position `at` on. */
  private place(from: number, to: number, at: number): void {
    const { offset, sizes, takesNext } = this.ctx;
    for (let slot = from; slot < to; slot++) {
      at += sizes[slot]!;
      if (takesNext[slot] === 0) offset[slot] = at;
    }
  }

  /** The slots from `from` up to `to` lie `shift` halfwords further on than before. */
  private move(from: number, to: number, shift: number): void {
    const { offset, takesNext } = this.ctx;
    for (let slot = from; slot < to; slot++) if (takesNext[slot] === 0) offset[slot]! += shift;
  }

  private positionOf(target: number): number {
    return target === EPILOGUE ? this.ctx.exitTarget : this.ctx.prologueLen;
  }
}

/** Classes JMP and JMP32. */
const isJump = (opcode: number): boolean => {
  const cls = opcode & 7;
  return cls === BPF_CLASS.JMP || cls === BPF_CLASS.JMP32;
};

function targetOf(code: UnitCode, i: number): number {
  switch (code.opcode(i)) {
    case EXIT:
      return EPILOGUE;
    case TAIL_CALL:
      return i; // the branches in it go to its own end
    case BPF_CLASS.JMP32 | BPF_JMP_OP.JA:
      return i + code.imm(i);
    default:
      return i + code.off(i);
  }
}
