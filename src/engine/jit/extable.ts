import type { ExtableEntry } from './types';

/** Bytes of one entry: s32 insn, s32 fixup, s16 type, s16 data. */
export const EXTABLE_ENTRY_BYTES = 12;
/** EX_TYPE_BPF */
const EX_TYPE_BPF = 2;
/** Bits 26…0 of fixup: the distance back to where execution resumes. */
const FIXUP_OFFSET_BITS = 27;

/**
 * Collects the exception table of one function in program order (`add_exception_handler`, spec 6.8): where a probing
 * load or store may fault, which register to clear then, and where to go on.
 */
export class ExtableBuilder {
  private entries: ExtableEntry[] = [];
  private collecting = true;

  /** An instruction that may fault was emitted. Byte offsets in the image; @param register cleared then, 0 = none */
  add(insnOffset: number, resumeOffset: number, register: number): void {
    if (this.collecting) this.entries.push({ insnOffset, resumeOffset, register });
  }

  /** Collects afresh in the pass that begins, or in none until the next call. */
  restart(collecting: boolean): void {
    if (this.entries.length > 0) this.entries = [];
    this.collecting = collecting;
  }

  list(): readonly ExtableEntry[] {
    return this.entries;
  }
}

/**
 * The raw table that lies `tableOffset` bytes behind the image's first byte.
 * Both fields are relative to their own address: `insn` is negative, `fixup` counts back to the resume point.
 */
export function encodeExtable(entries: readonly ExtableEntry[], tableOffset: number): Uint8Array {
  const bytes = new Uint8Array(entries.length * EXTABLE_ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  entries.forEach(({ insnOffset, resumeOffset, register }, i) => {
    const at = i * EXTABLE_ENTRY_BYTES;
    view.setInt32(at, insnOffset - (tableOffset + at), true);
    const back = tableOffset + at + 4 - resumeOffset;
    view.setInt32(at + 4, (register << FIXUP_OFFSET_BITS) | (back & (2 ** FIXUP_OFFSET_BITS - 1)), true);
    view.setInt16(at + 8, EX_TYPE_BPF, true);
  });
  return bytes;
}
