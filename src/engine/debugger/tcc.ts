import { s64, u64 } from '../base/u64';
import type { Piece } from '../jit/types';
import type { Machine } from '../machine/types';
import type { TccScheme } from '../profile/profile';
import { REG } from '../rv64/registers';
import type { CodeFunction } from './code-index';
import type { Frame } from './stack';

/** Where the tail call counter is kept just now (spec section 5). */
export type TccHome =
  | { readonly kind: 'register'; readonly register: typeof REG.a6 | typeof REG.s6; readonly why: string }
  /** Bytes from sp. */
  | { readonly kind: 'slot'; readonly spOffset: number; readonly why: string }
  | { readonly kind: 'none'; readonly why: string };

const inA6 = (why: string): TccHome => ({ kind: 'register', register: REG.a6, why });
const inS6 = (why: string): TccHome => ({ kind: 'register', register: REG.s6, why });
const none = (why: string): TccHome => ({ kind: 'none', why });

/**
 * Where the counter is before the instruction at `offset` of a function executes, by the rules of the JIT's scheme and
 * what the JIT recorded about each instruction.
 * @param offset bytes from the image's first byte
 */
export function tccHome(code: CodeFunction, offset: number): TccHome {
  const before = beforeInit(code, offset);
  if (before) return before;
  const { tcc } = code.program.jit.profile;
  return HOMES[tcc](code, offset);
}

const HOMES: Readonly<Record<TccScheme, (code: CodeFunction, offset: number) => TccHome>> = {
  transparent: transparentHome,
  mainline: mainlineHome,
  'stack-v1': slotHome,
  'stack-v3': slotHome,
  'stack-v6': slotHome,
};

/** The counter's value and where it was read, for a frame. */
export function readTcc(machine: Machine, frame: Frame): { value: number; where: string } | undefined {
  if (!frame.code || frame.lookup === undefined) return undefined;
  const home = tccHome(frame.code, frame.lookup);
  switch (home.kind) {
    case 'none':
      return undefined;
    case 'register':
      return {
        value: Number(s64(frame.registers[home.register]!)),
        where: `${home.register === REG.a6 ? 'a6' : 's6'}: ${home.why}`,
      };
    case 'slot': {
      const bytes = machine.memory.tryRead(u64(frame.registers[REG.sp]! + BigInt(home.spOffset)), 8);
      if (!bytes) return undefined;
      const value = new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(0, true);
      return { value: Number(value), where: `sp+${home.spOffset}: ${home.why}` };
    }
  }
}

/** Up to the instruction that sets it, the counter of an entered program does not exist. */
function beforeInit(code: CodeFunction, offset: number): TccHome | undefined {
  const init = prologuePiece(code, 'tcc/init');
  if (!init || offset >= init.to) return undefined;
  return none('the program has not set its counter yet');
}

function transparentHome(code: CodeFunction, offset: number): TccHome {
  const pieces = slotPieces(code, offset);
  const save = pieces.find((piece) => piece.rule === 'tcc/save-around-call');
  const restore = pieces.find((piece) => piece.rule === 'tcc/restore-after-call');
  if (save && restore && offset >= save.to && offset < restore.to) {
    return inS6('a helper or kfunc may change a6, s6 keeps the count meanwhile');
  }
  return inA6('passed through all functions of the run');
}

function mainlineHome(code: CodeFunction, offset: number): TccHome {
  const take = slotPieces(code, offset).find((piece) => piece.rule === 'tcc/take');
  if (take && offset >= take.to) return inA6('this tail call has taken one from it');
  const copy = prologuePiece(code, 'tcc/copy-to-s6');
  if (copy) {
    if (offset < copy.to) return inA6('on its way into s6');
    if (offset < code.fn.epilogueOffset) return inS6('this function makes calls, which s6 survives');
    return none('the function is done with it');
  }
  if (code.tailCalls.length === 0) return none('this function makes no tail call');
  return inA6('this function makes no call that could change it');
}

function slotHome(code: CodeFunction, offset: number): TccHome {
  const { fn } = code;
  const spOffset = fn.tccSlot;
  if (spOffset === undefined) return inA6('this function has no slot for it');
  const row = code.unwindRow(offset);
  const released = row?.cfa.register === REG.sp && row.cfa.offset === 0;
  const store = prologuePiece(code, 'tcc/store');
  if (released || (store && offset < store.to)) {
    return inA6('handed over in a6, the frame does not hold it');
  }
  const storeAfterCall = slotPieces(code, offset).find((piece) => piece.rule === 'tcc/store');
  const isTailCall = code.tailCalls.some((site) => site.slot === storeAfterCall?.insn);
  if (storeAfterCall && !isTailCall && offset >= storeAfterCall.from && offset < storeAfterCall.to) {
    return inA6('the called function handed it back');
  }
  return { kind: 'slot', spOffset, why: 'every frame has a slot for it' };
}

/** The stretch of the prologue that a rule made. */
export function prologuePiece(code: CodeFunction, rule: string): Piece | undefined {
  for (const piece of code.fn.pieces) {
    if (piece.from >= code.fn.prologueLen) return undefined;
    if (piece.rule === rule) return piece;
  }
  return undefined;
}

/** The pieces of the BPF instruction that `offset` belongs to; none in prologue and epilogue. */
function slotPieces(code: CodeFunction, offset: number): readonly Piece[] {
  const slot = code.map.pieceAt(offset)?.insn ?? -1;
  return slot < 0 ? [] : code.map.piecesOf(slot);
}
