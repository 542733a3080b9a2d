import { BPF_ALU_OP, BPF_CLASS, BPF_SRC } from '../../bpf/insn';
import { enc } from '../../rv64/encode';
import type { JitContext } from '../context';
import { emitSh3add, emitZextw } from '../extend';
import { emitImm64 } from '../load-immediate';
import { RV } from '../registers';
import type { Unit } from '../unit';
import { emitAddress } from './load-imm64';

const MOV64_X = BPF_CLASS.ALU64 | BPF_ALU_OP.MOV | BPF_SRC.X;
const ADDR_SPACE_CAST = 1;
const ADDR_PERCPU = -1;
const TO_USER = 1 << 16;

/** `insn_is_cast_user`: an arena pointer becomes what user space sees. */
export function isCastUser({ code, facts }: Unit, i: number): boolean {
  return (
    facts.arena && code.opcode(i) === MOV64_X && code.off(i) === ADDR_SPACE_CAST && code.imm(i) === TO_USER
  );
}

/** `insn_is_mov_percpu_addr` */
export function isPerCpuMove({ code, facts }: Unit, i: number): boolean {
  return facts.perCpuMove && code.opcode(i) === MOV64_X && code.off(i) === ADDR_PERCPU;
}

/** The low half of rs below the upper half of the user's arena address; a null pointer stays null. */
export function emitCastUser(ctx: JitContext, rd: number, rs: number): void {
  const { e } = ctx;
  const userStart = ctx.unit.surroundings.arena?.userVmStart ?? 0n;
  e.rule('alu/cast-user');
  e.mv(RV.t1, rs);
  emitZextw(e, RV.t1, RV.t1);
  emitImm64(e, rd, Number(BigInt.asIntN(32, userStart >> 32n)), 0);
  e.emit(enc.beq(RV.t1, RV.zero, 8));
  e.emit(enc.or(RV.t1, rd, RV.t1));
  e.mv(rd, RV.t1);
}

/** Loads this CPU's number from thread_info, which tp points to. */
export function emitCpuNumber(ctx: JitContext, rd: number): void {
  const offset = ctx.unit.profile.layout.threadInfoCpu;
  if (ctx.faults['cpu-number-loaded-wide']) ctx.e.ld(rd, offset, RV.tp);
  else ctx.e.lw(rd, offset, RV.tp);
}

/** rd = rs + __per_cpu_offset[cpu] */
export function emitPerCpuAddress(ctx: JitContext, rd: number, rs: number): void {
  const { e } = ctx;
  e.rule('alu/per-cpu-address');
  if (rd !== rs) e.mv(rd, rs);
  emitCpuNumber(ctx, RV.t1);
  emitAddress(ctx, RV.t2, ctx.unit.surroundings.addresses.perCpuOffset);
  emitSh3add(e, RV.t1, RV.t1, RV.t2);
  e.ld(RV.t1, 0, RV.t1);
  e.add(rd, rd, RV.t1);
}
