import { bytesToHex, hex64 } from '../base/hex';
import { why } from '../jit/lookup';
import type { Trampoline } from '../jit/trampoline/trampoline';
import type { FrameSlot } from '../jit/types';
import type { DecodedInsn } from '../rv64/decode';
import { disassemble } from '../rv64/disassemble';
import { REG } from '../rv64/registers';
import type { TrampolineAccess, TrampolineRowView } from './views';

/**
 * The native instructions of a trampoline, each with its rule and the slot of the frame that it works on.
 * @param symbol names an address that the code calls
 */
export function trampolineRows(
  trampoline: Trampoline,
  symbol: (address: bigint) => string | undefined,
): TrampolineRowView[] {
  const { address: base, image, frame } = trampoline;
  const place = new FramePlace(trampoline);
  return [...disassemble(image, base, { symbol })].map(({ address, size, insn, text }) => {
    const offset = Number(address - base);
    const touched = insn && place.step(insn);
    const slot = touched ? slotAt(frame.slots, touched.fpOffset) : -1;
    return {
      address: hex64(address),
      offset,
      bytes: bytesToHex(image.subarray(offset, offset + size)),
      text,
      rule: why(trampoline, offset)?.rule ?? '',
      ...(touched && slot >= 0 && { slot, access: touched.access }),
    };
  });
}

const slotAt = (slots: readonly FrameSlot[], fpOffset: number): number =>
  slots.findIndex((slot) => fpOffset >= slot.fpOffset && fpOffset < slot.fpOffset + slot.size);

/**
 * Follows sp and fp through the code, which has no branch across a change of either: while the frame is made and left,
 * slots are reached from a moving sp.
 */
class FramePlace {
  /** Bytes from sp at the entry. */
  private sp = 0;
  private fp: number | undefined;
  /** fp of the finished frame. */
  private readonly finalFp: number;

  constructor({ frame }: Trampoline) {
    const top = frame.slots[0];
    this.finalFp = top ? -(top.fpOffset + top.size) : 0;
  }

  /** What the instruction does to the frame, bytes from the finished frame's fp. */
  step(insn: DecodedInsn): { readonly fpOffset: number; readonly access: TrampolineAccess } | undefined {
    const { rd, rs1, imm } = insn;
    const base = rs1 === REG.sp ? this.sp : rs1 === REG.fp ? this.fp : undefined;
    const at = base === undefined ? undefined : base + imm;
    switch (insn.base.mnemonic) {
      case 'sd':
        return this.touch(at, 'stores');
      case 'ld':
        if (rd === REG.fp) this.fp = undefined;
        return this.touch(at, 'loads');
      case 'addi':
        if (rd === REG.sp && at !== undefined) this.sp = at;
        else if (rd === REG.fp) this.fp = at;
        else return this.touch(at, 'points to');
        return undefined;
      default:
        return undefined;
    }
  }

  private touch(at: number | undefined, access: TrampolineAccess) {
    return at === undefined ? undefined : { fpOffset: at - this.finalFp, access };
  }
}
