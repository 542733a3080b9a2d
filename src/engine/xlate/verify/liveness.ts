import {
  BPF_ALU_OP,
  BPF_ATOMIC_OP,
  BPF_CLASS,
  BPF_JMP_OP,
  BPF_MODE,
  BPF_PSEUDO,
  BPF_SIZE,
  type BpfInsn,
} from '../../bpf/insn';
import type { VerifierEnv } from './env';
import { LIVE_READ, LIVE_READ32, LIVE_READ64, LIVE_WRITTEN, NOT_A_SUBREG, type RegState } from './reg';
import { FP } from './state';

/** The class, mode or operation bits of an opcode. */
export const insnClass = (code: number): number => code & 7;
export const insnMode = (code: number): number => code & 0xe0;
export const insnOp = (code: number): number => code & 0xf0;
/** Bytes of an access, from the size bits of its opcode. */
export function accessSize(code: number): 1 | 2 | 4 | 8 {
  switch (code & 0x18) {
    case BPF_SIZE.B:
      return 1;
    case BPF_SIZE.H:
      return 2;
    case BPF_SIZE.W:
      return 4;
    default:
      return 8;
  }
}

/** Whether an instruction is an atomic operation, also on an arena. */
export const isAtomic = (insn: BpfInsn): boolean => {
  const mode = insnMode(insn.code);
  return (
    insnClass(insn.code) === BPF_CLASS.STX && (mode === BPF_MODE.ATOMIC || mode === BPF_MODE.PROBE_ATOMIC)
  );
};

/** Whether a use or definition concerns the whole 64-bit register (is_reg64). */
export function isWide(insn: BpfInsn, how: 'read' | 'write', holdsScalar = true): boolean {
  const { code, imm } = insn;
  const op = insnOp(code);
  switch (insnClass(code)) {
    case BPF_CLASS.JMP:
      if (op === BPF_JMP_OP.CALL) return insn.src !== BPF_PSEUDO.CALL && how === 'read';
      return true;
    case BPF_CLASS.JMP32:
      return false;
    case BPF_CLASS.ALU64:
      return !(op === BPF_ALU_OP.END && (imm === 16 || imm === 32));
    case BPF_CLASS.ALU:
      return op === BPF_ALU_OP.END && imm === 64;
    case BPF_CLASS.LDX:
      return how === 'read' || accessSize(code) === 8 || insnMode(code) === BPF_MODE.MEMSX;
    case BPF_CLASS.STX:
      if (how === 'read' && !holdsScalar) return true;
      return accessSize(code) === 8;
    case BPF_CLASS.LD:
      return insnMode(code) === BPF_MODE.IMM || how === 'read';
    default:
      return true;
  }
}

/** The register that an instruction other than a call defines; undefined for none (insn_def_regno). */
export function definedRegister(insn: BpfInsn): number | undefined {
  switch (insnClass(insn.code)) {
    case BPF_CLASS.JMP:
    case BPF_CLASS.JMP32:
    case BPF_CLASS.ST:
      return undefined;
    case BPF_CLASS.STX:
      if (!isAtomic(insn)) return undefined;
      if (insn.imm === BPF_ATOMIC_OP.CMPXCHG) return 0;
      if (insn.imm === BPF_ATOMIC_OP.LOAD_ACQ) return insn.dst;
      if (insn.imm === BPF_ATOMIC_OP.STORE_REL) return undefined;
      return (insn.imm & BPF_ATOMIC_OP.FETCH) !== 0 ? insn.src : undefined;
    default:
      return insn.dst;
  }
}

/** Whether the instruction defines only the low half of a register, so that the upper one may need clearing (insn_has_def32). */
export const definesLow32 = (insn: BpfInsn): boolean =>
  definedRegister(insn) !== undefined && !isWide(insn, 'write');

/** The value is read at its full width: whoever defined only its low half must clear the upper one (mark_insn_zext). */
export function markZext(env: VerifierEnv, reg: RegState): void {
  if (reg.subregDef === NOT_A_SUBREG) return;
  env.auxAt(reg.subregDef - 1).zext = true;
  reg.subregDef = NOT_A_SUBREG;
}

/**
 * Hands a read mark back along the checkpoints until one where the value was written (mark_reg_read).
 * `reg` is the value that was read, `parent` the same value in the checkpoint to begin with.
 */
export function markRead(reg: RegState, parent: RegState | undefined, flag: number): void {
  let screened = parent === reg.parent;
  let state = reg;
  let at = parent;
  while (at) {
    if (screened && (state.live & LIVE_WRITTEN) !== 0) return;
    // the chain above carries the mark already
    if ((at.live & LIVE_READ) === flag || (at.live & LIVE_READ64) !== 0) return;
    at.live |= flag;
    if (flag === LIVE_READ64) at.live &= ~LIVE_READ32;
    state = at;
    at = state.parent;
    screened = true;
  }
}

/** The instruction reads register `number` (check_reg_arg with SRC_OP). */
export function readRegister(env: VerifierEnv, number: number): RegState {
  const reg = env.frame.reg(number);
  if (reg.type === 'uninit')
    env.refuse('uninitialised', `r${number} is read here, but nothing was written to it`);
  if (number === FP) return reg;
  const wide = isWide(env.insnAt(env.insn), 'read', reg.isScalar);
  if (wide) markZext(env, reg);
  markRead(reg, reg.parent, wide ? LIVE_READ64 : LIVE_READ32);
  return reg;
}

/** The instruction defines register `number`, whose new content the caller sets (check_reg_arg with DST_OP_NO_MARK). */
export function writeRegister(env: VerifierEnv, number: number): RegState {
  const reg = env.frame.reg(number);
  reg.live |= LIVE_WRITTEN;
  reg.subregDef = isWide(env.insnAt(env.insn), 'write') ? NOT_A_SUBREG : env.insn + 1;
  return reg;
}
