import { BPF_ATOMIC_OP, type BpfInsn } from '../../bpf/insn';
import type { VerifierEnv } from './env';
import { accessSize, definedRegister, readRegister, writeRegister } from './liveness';
import { accessMemory, notePointer, type Access } from './memory';

/** Follows an atomic operation (check_atomic). */
export function walkAtomic(env: VerifierEnv, insn: BpfInsn): void {
  if (insn.imm === BPF_ATOMIC_OP.LOAD_ACQ || insn.imm === BPF_ATOMIC_OP.STORE_REL)
    return walkOrdered(env, insn);
  readRegister(env, insn.src);
  readRegister(env, insn.dst);
  if (insn.imm === BPF_ATOMIC_OP.CMPXCHG) readRegister(env, 0);
  const loads = definedRegister(insn);
  if (loads !== undefined) writeRegister(env, loads).setUnknown();
  const access: Access = {
    base: insn.dst,
    off: insn.off,
    size: accessSize(insn.code),
    write: false,
    value: undefined,
    signed: false,
    atomic: true,
  };
  accessMemory(env, access);
  if (loads !== undefined) accessMemory(env, { ...access, value: loads });
  accessMemory(env, { ...access, write: true });
}

/** Load-acquire and store-release are loads and stores with an order (check_atomic_load, check_atomic_store). */
function walkOrdered(env: VerifierEnv, insn: BpfInsn): void {
  if (!env.facts.acquireRelease)
    env.refuse('opcode', 'the kernel of this profile does not know load_acquire and store_release');
  const loads = insn.imm === BPF_ATOMIC_OP.LOAD_ACQ;
  const base = loads ? insn.src : insn.dst;
  if (loads) {
    readRegister(env, insn.src);
    writeRegister(env, insn.dst);
  } else {
    readRegister(env, insn.src);
    readRegister(env, insn.dst);
  }
  const { type } = env.frame.reg(base);
  const value = loads ? insn.dst : insn.src;
  const size = accessSize(insn.code);
  accessMemory(env, { base, off: insn.off, size, write: !loads, value, signed: false, atomic: true });
  notePointer(env, type);
}
