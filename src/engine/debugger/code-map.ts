import { decode, type DecodedInsn } from '../rv64/decode';
import { EngineError } from '../base/errors';
import { BPF_CLASS, BPF_JMP_OP } from '../bpf/insn';
import { nativeRangeOf, piecesOf, slotAt, why, type NativeRange } from '../jit/lookup';
import type { JitFunction, Piece } from '../jit/types';
import type { KernelProgram } from '../kernel/types';
import type { LineInfo } from '../loader/object';

/** The beginning of a stretch of code that comes from one source line. */
export interface Statement {
  readonly line: LineInfo;
  /** Function-relative xlated slot. */
  readonly slot: number;
  /** Bytes from the image's first byte. */
  readonly offset: number;
}

/** One native instruction of an image. */
export interface NativeInsn {
  /** Bytes from the image's first byte. */
  readonly offset: number;
  /** Undefined where the bytes are no instruction. */
  readonly insn: DecodedInsn | undefined;
  /** Bytes: 2 or 4 */
  readonly size: number;
}

/**
 * Where everything of one JITed function is: native offsets, BPF slots, source lines. Offsets are bytes from the image's
 * first byte, slots are xlated and function-relative. Constant once made.
 *
 * A slot may have no native code (the second half of a ld_imm64, a zero extension that the load before it made needless,
 * the last exit, which falls into the epilogue): it then begins where the next code begins.
 */
export class CodeMap {
  /** Index into `lines` for each slot, -1 when the line is unknown. */
  private readonly lineOfSlot: Int32Array;
  private readonly lines: readonly LineInfo[];
  readonly statements: readonly Statement[];
  private nativeInsns: readonly NativeInsn[] | undefined;

  constructor(
    private readonly program: KernelProgram,
    readonly fn: JitFunction,
  ) {
    this.lines = [...program.source.lines].sort((a, b) => a.insn - b.insn);
    this.lineOfSlot = new Int32Array(this.slotCount);
    this.fillLines();
    this.statements = this.findStatements();
  }

  get slotCount(): number {
    return this.fn.end - this.fn.start;
  }

  /** Lines are recorded for input slots; the verifier's rewrites say which of those each xlated slot comes from. */
  private fillLines(): void {
    const { origin } = this.program.xlated;
    const functionStart = this.sourceFunctionStart();
    for (let slot = 0; slot < this.lineOfSlot.length; slot++) {
      const input = origin[this.fn.start + slot]?.insn ?? -1;
      const index = lastAtOrBefore(this.lines, input, (line) => line.insn);
      this.lineOfSlot[slot] = index >= 0 && this.lines[index]!.insn >= functionStart ? index : -1;
    }
  }

  private sourceFunctionStart(): number {
    const { functions } = this.program.source;
    const first = this.program.xlated.origin[this.fn.start]?.insn ?? 0;
    const index = lastAtOrBefore(
      [...functions].sort((a, b) => a.start - b.start),
      first,
      (f) => f.start,
    );
    return functions[index]?.start ?? 0;
  }

  private findStatements(): Statement[] {
    const found: Statement[] = [];
    for (let slot = 0; slot < this.slotCount; slot++) {
      const line = this.lineAt(slot);
      if (!line) continue;
      const last = found.at(-1);
      if (last && sameLine(last.line, line)) continue;
      const statement = { line, slot, offset: this.startOf(slot) };
      // A statement without native code gives its place to the one that has some.
      if (last && last.offset === statement.offset) found.pop();
      const before = found.at(-1);
      if (!before || !sameLine(before.line, line)) found.push(statement);
    }
    return found;
  }

  /** The source line that a slot comes from. */
  lineAt(slot: number): LineInfo | undefined {
    return this.lines[this.lineOfSlot[slot] ?? -1];
  }

  /** First offset of a slot's code; an empty slot's is that of the code behind it. @throws EngineError `debugger/slot` */
  startOf(slot: number): number {
    return this.range(slot).from;
  }

  /** Offset behind a slot's code. @throws EngineError `debugger/slot` */
  endOf(slot: number): number {
    return this.range(slot).to;
  }

  private range(slot: number): NativeRange {
    const range = nativeRangeOf(this.fn, slot);
    if (range) return range;
    throw new EngineError(
      'debugger/slot',
      `${this.fn.name} has the slots 0 to ${this.slotCount - 1}; there is no slot ${slot}.`,
      { slot, slots: this.slotCount },
    );
  }

  /**
   * The slot that the code at `offset` was made for; -1 in the prologue. The epilogue belongs to the exit at the end of
   * the function, if it ends with one.
   */
  slotAt(offset: number): number {
    if (offset < this.fn.prologueLen) return -1;
    if (offset >= this.fn.epilogueOffset) return this.fallsIntoEpilogue() ? this.slotCount - 1 : -1;
    return slotAt(this.fn, offset) ?? -1;
  }

  private fallsIntoEpilogue(): boolean {
    return this.slotCount > 0 && this.isExit(this.slotCount - 1) && this.isEmpty(this.slotCount - 1);
  }

  isEmpty(slot: number): boolean {
    const { from, to } = this.range(slot);
    return from === to;
  }

  isExit(slot: number): boolean {
    return (
      slot >= 0 && this.program.xlated.insns[this.fn.start + slot]?.code === (BPF_CLASS.JMP | BPF_JMP_OP.EXIT)
    );
  }

  /** Whether a BPF instruction begins at `offset`: the exit that falls into the epilogue begins with it. */
  isSlotStart(offset: number): boolean {
    const slot = this.slotAt(offset);
    return slot >= 0 && this.startOf(slot) === offset;
  }

  /** The source line of the code at `offset`; in the prologue that of the function's first instruction. */
  lineAtOffset(offset: number): LineInfo | undefined {
    const slot = this.slotAt(offset);
    if (slot >= 0) return this.lineAt(slot);
    return offset < this.fn.prologueLen ? this.lineAt(0) : undefined;
  }

  /** The JIT's record of why the instruction at `offset` is there. */
  pieceAt(offset: number): Piece | undefined {
    return why(this.fn, offset);
  }

  /** The pieces made for one slot, in code order; none for a slot that there is not. */
  piecesOf(slot: number): readonly Piece[] {
    return piecesOf(this.fn, slot);
  }

  /** All native instructions of the last pass, in order. */
  get native(): readonly NativeInsn[] {
    return (this.nativeInsns ??= decodeAll(this.fn));
  }

  /** The native instruction right before `offset`. */
  nativeBefore(offset: number): NativeInsn | undefined {
    return this.native[lastAtOrBefore(this.native, offset - 1, (n) => n.offset)];
  }

  /** The native instruction that begins at `offset`, if one does. */
  nativeAt(offset: number): NativeInsn | undefined {
    const insn = this.native[lastAtOrBefore(this.native, offset, (n) => n.offset)];
    return insn?.offset === offset ? insn : undefined;
  }
}

/** Whether two records are of the same line. */
export function sameLine(a: LineInfo, b: LineInfo): boolean {
  return a.line === b.line && a.file === b.file;
}

function decodeAll(fn: JitFunction): NativeInsn[] {
  const { image } = fn;
  const found: NativeInsn[] = [];
  const entry = Number(fn.bpfFunc - fn.base);
  // A kCFI type word before the entry is data.
  for (let offset = 0; offset < entry; offset += 4) found.push({ offset, insn: undefined, size: 4 });
  for (let offset = entry; offset + 1 < fn.finalLen;) {
    const low = image[offset]! | (image[offset + 1]! << 8);
    const size = (low & 3) === 3 ? 4 : 2;
    const high = size === 4 ? (image[offset + 2] ?? 0) | ((image[offset + 3] ?? 0) << 8) : 0;
    found.push({ offset, insn: decode((low | (high << 16)) >>> 0), size });
    offset += size;
  }
  return found;
}

/** Index of the last element whose key is at most `value`, -1 if none; the elements ascend by their key. */
function lastAtOrBefore<T>(sorted: readonly T[], value: number, key: (element: T) => number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (key(sorted[middle]!) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
