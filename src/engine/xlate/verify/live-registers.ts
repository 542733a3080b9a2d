import {
  BPF_ALU_OP,
  BPF_ATOMIC_OP,
  BPF_CLASS,
  BPF_JMP_OP,
  BPF_MODE,
  BPF_SRC,
  LD_IMM64,
  type BpfInsn,
} from '../../bpf/insn';
import type { VerifierEnv } from './env';
import { helperProto } from './helper-protos';
import { kfuncProto } from './kfunc-protos';
import { insnClass, insnMode, insnOp } from './liveness';

const CALLER_SAVED = 0b11_1111;
const ALL = 0xffff;
const bit = (reg: number): number => 1 << reg;

/** Registers that an instruction reads and defines, as sets of bits (compute_insn_live_regs). */
function usesAndDefinitions(insn: BpfInsn, kfunc: string | undefined): { uses: number; defines: number } {
  const dst = bit(insn.dst);
  const src = bit(insn.src);
  const fromRegister = (insn.code & BPF_SRC.X) !== 0;
  switch (insnClass(insn.code)) {
    case BPF_CLASS.LD:
      return insn.code === LD_IMM64 ? { uses: 0, defines: dst } : { uses: ALL, defines: 0 };
    case BPF_CLASS.LDX:
      return { uses: src, defines: dst };
    case BPF_CLASS.ST:
      return { uses: dst, defines: 0 };
    case BPF_CLASS.STX:
      return insnMode(insn.code) === BPF_MODE.ATOMIC ? atomicUse(insn) : { uses: dst | src, defines: 0 };
    case BPF_CLASS.ALU:
    case BPF_CLASS.ALU64: {
      const op = insnOp(insn.code);
      if (op === BPF_ALU_OP.END) return { uses: dst, defines: dst };
      const operand = fromRegister ? src : 0;
      return { uses: op === BPF_ALU_OP.MOV ? operand : operand | dst, defines: dst };
    }
    default:
      return jumpUse(insn, kfunc);
  }
}

function atomicUse(insn: BpfInsn): { uses: number; defines: number } {
  const dst = bit(insn.dst);
  const src = bit(insn.src);
  switch (insn.imm) {
    case BPF_ATOMIC_OP.CMPXCHG:
      return { uses: bit(0) | dst | src, defines: bit(0) };
    case BPF_ATOMIC_OP.LOAD_ACQ:
      return { uses: src, defines: dst };
    case BPF_ATOMIC_OP.STORE_REL:
      return { uses: dst | src, defines: 0 };
    default:
      return { uses: dst | src, defines: (insn.imm & BPF_ATOMIC_OP.FETCH) !== 0 ? src : 0 };
  }
}

function jumpUse(insn: BpfInsn, kfunc: string | undefined): { uses: number; defines: number } {
  switch (insnOp(insn.code)) {
    case BPF_JMP_OP.JA:
    case BPF_JMP_OP.JCOND:
      return { uses: 0, defines: 0 };
    case BPF_JMP_OP.EXIT:
      return { uses: bit(0), defines: 0 };
    case BPF_JMP_OP.CALL: {
      const proto = insn.src === 0 ? helperProto(insn.imm) : kfuncProto(kfunc ?? '');
      const parameters = proto ? proto.args.length : 5;
      return { uses: ((1 << parameters) - 1) << 1, defines: CALLER_SAVED };
    }
    default:
      return { uses: bit(insn.dst) | ((insn.code & BPF_SRC.X) !== 0 ? bit(insn.src) : 0), defines: 0 };
  }
}

/** The slots that may follow within the function. */
export function successors(env: VerifierEnv, at: number): number[] {
  const insn = env.insnAt(at);
  if (insn.code === LD_IMM64) return [at + 2];
  const group = insnClass(insn.code);
  if (group !== BPF_CLASS.JMP && group !== BPF_CLASS.JMP32) return [at + 1];
  switch (insnOp(insn.code)) {
    case BPF_JMP_OP.EXIT:
      return [];
    case BPF_JMP_OP.CALL:
      return [at + 1];
    case BPF_JMP_OP.JA:
      return [at + 1 + (group === BPF_CLASS.JMP ? insn.off : insn.imm)];
    default:
      return [at + 1, at + 1 + insn.off];
  }
}

/**
 * Fills `liveBefore` of every instruction: the registers that some way from it reads before writing them, within its
 * function (compute_live_registers).
 */
export function findLiveRegisters(env: VerifierEnv): void {
  for (let changed = true; changed;) {
    changed = false;
    for (let at = env.insns.length - 1; at >= 0; at--) {
      const insn = env.insnAt(at);
      if (insn.code === 0) continue;
      const { uses, defines } = usesAndDefinitions(insn, env.input.kfuncs.get(at));
      let after = 0;
      for (const next of successors(env, at)) after |= env.aux[next]?.liveBefore ?? 0;
      const before = (after & ~defines) | uses;
      const aux = env.auxAt(at);
      if (aux.liveBefore === before) continue;
      aux.liveBefore = before;
      changed = true;
    }
  }
}
