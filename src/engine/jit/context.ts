import { EngineError, type ErrorCode } from '../base/errors';
import { printInsn } from '../bpf/print';
import { faultSwitches, type FaultSwitches } from '../profile/faults';
import { Emitter } from './emit';
import { ExtableBuilder } from './extable';
import type { SavedSlot } from './frame';
import type { PassRecorder } from './pass-log';
import { registerMap } from './registers';
import { seenBit } from './seen';
import { schemeOf } from './tcc/index';
import type { TccScheme } from './tcc/scheme';
import type { Unit } from './unit';
import type { UnwindRecorder } from './unwind';

/**
 * What translating one function remembers between instructions and between passes: `struct rv_jit_context`. Positions and
 * lengths are counted in halfwords.
 */
export class JitContext {
  readonly e: Emitter;
  readonly scheme: TccScheme;
  readonly faults: FaultSwitches;
  private readonly registers: Uint8Array;

  /** `ctx->flags`: SEEN_ bits; never cleared between passes. */
  seen = 0;
  /** The slots of the frame's saved registers, and the {@link seen} for which that holds; see savedSlots. */
  saved: readonly SavedSlot[] = [];
  savedFor = -1;
  /** `ctx->offset`: position of the end of each slot's code, or a guess; see spec 7.2 for entries that are never written. */
  readonly offset: Int32Array;
  /** Length of each slot's code in the latest pass; of two slots translated together the first has all. */
  readonly sizes: Int32Array;
  /** 1 for each slot that is translated together with the one behind it; known from the dry run on. */
  readonly takesNext: Uint8Array;
  /** False in the dry run and in the last pass, where {@link offset} must stay as it is. */
  writesOffsets = false;
  prologueLen = 0;
  epilogueOffset = 0;
  /** Where exits jump to: {@link epilogueOffset} of the pass before. */
  exitTarget = 0;
  /** Bytes */
  stackSize = 0;
  /** sp-relative byte offset of the counter's slot, in schemes that have one. */
  tccOffset = 0;
  /** Address of the image's first byte once it is allocated (`ctx->ro_insns`). */
  imageBase: bigint | undefined;
  /** Bytes from the image's first byte to {@link Unit.surroundings}.callBase; meaningful once there is an image. */
  callBaseDistance = 0;
  /** The pass in which addresses must be final and are checked. */
  extraPass = false;
  /** Address of the function that slot `i` calls or refers to; known in the extra pass only (aux->func[]). */
  calleeAddress: ((slot: number) => bigint) | undefined;
  readonly extable = new ExtableBuilder();
  /** Set behind the dry run. */
  log: PassRecorder | null = null;
  /** Set when the last pass is repeated for it. */
  unwind: UnwindRecorder | null = null;

  constructor(readonly unit: Unit) {
    const { isa } = unit.profile;
    this.e = new Emitter(isa.c, isa.zba && unit.facts.usesZba, isa.zbb && unit.facts.usesZbb);
    this.scheme = schemeOf(unit.profile);
    this.faults = faultSwitches(unit.profile);
    this.registers = registerMap(unit.facts.axRegister);
    this.offset = new Int32Array(unit.code.length);
    this.sizes = new Int32Array(unit.code.length);
    this.takesNext = new Uint8Array(unit.code.length);
  }

  /** The code of slot `i` is `halfwords` long in this pass. */
  setSize(i: number, halfwords: number): void {
    if (this.sizes[i] === halfwords) return;
    this.sizes[i] = halfwords;
    this.log?.changed(i, halfwords);
  }

  get hasImage(): boolean {
    return this.imageBase !== undefined;
  }

  /** The image lies at `base` from now on. */
  placeAt(base: bigint): void {
    this.imageBase = base;
    this.callBaseDistance = Number(BigInt.asIntN(64, this.unit.surroundings.callBase - base));
  }

  /** The RV64 register of a BPF register, marked as seen (`bpf_to_rv_reg`). */
  register(bpf: number): number {
    const rv = this.registers[bpf] ?? 0;
    this.seen |= seenBit(rv);
    return rv;
  }

  has(bits: number): boolean {
    return (this.seen & bits) !== 0;
  }

  /** Bytes from the code emitted next to `address`; 0 as long as there is no image. */
  distanceTo(address: bigint): number {
    if (this.imageBase === undefined) return 0;
    return Number(BigInt.asIntN(64, address - this.imageBase)) - 2 * this.e.ninsns;
  }

  /** An error about the instruction at `slot`, with its index in the program and its text. */
  error(code: ErrorCode, slot: number, what: string): EngineError {
    return unitError(this.unit, code, slot, what);
  }
}

/** An error about a slot of a unit: names the function, the slot counted from the program's start, and its text. */
export function unitError(
  unit: Pick<Unit, 'name' | 'start' | 'insns'>,
  code: ErrorCode,
  slot: number,
  what: string,
): EngineError {
  const text = printInsn(unit.insns, slot);
  const index = unit.start + slot;
  return new EngineError(code, `Instruction ${index} (${text}) of ${unit.name}: ${what}`, {
    function: unit.name,
    insn: index,
    text,
  });
}
