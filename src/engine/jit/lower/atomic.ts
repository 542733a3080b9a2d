import { BPF_ATOMIC_OP, BPF_SIZE } from '../../bpf/insn';
import { enc } from '../../rv64/encode';
import type { JitContext } from '../context';
import { emitZextw } from '../extend';
import { emitAddImm } from '../load-immediate';
import { RV } from '../registers';
import { addHandler, emitArenaAddress, emitLoad, emitStore, swallowsZext } from './access';

/** Ordering sets of fence. */
const FENCE_R = 2;
const FENCE_W = 1;
const FENCE_RW = FENCE_R | FENCE_W;

/**
 * STX ATOMIC (0xc3, 0xdb and the narrow sizes) and PROBE_ATOMIC: imm chooses the operation (spec 6.10).
 * @param probes the memory is an arena's, and the access may fault
 */
export function lowerAtomic(ctx: JitContext, i: number, rd: number, rs: number, probes: boolean): number {
  const { code, facts } = ctx.unit;
  const imm = code.imm(i);
  if (facts.acquireRelease && imm === BPF_ATOMIC_OP.LOAD_ACQ) return lowerLoadAcquire(ctx, i, rd, rs, probes);
  if (facts.acquireRelease && imm === BPF_ATOMIC_OP.STORE_REL) {
    lowerStoreRelease(ctx, i, rd, rs, probes);
    return 0;
  }
  const size = code.opcode(i) & 0x18;
  if (size !== BPF_SIZE.W && size !== BPF_SIZE.DW) {
    throw ctx.error('jit/opcode', i, 'the RV64 JIT has no 1- and 2-byte read-modify-write operations.');
  }
  lowerReadModifyWrite(ctx, i, rd, rs, imm, size === BPF_SIZE.DW, probes);
  return 0;
}

/** rd = *(rs + off), and nothing behind it happens before it. */
function lowerLoadAcquire(ctx: JitContext, i: number, rd: number, rs: number, probes: boolean): number {
  const { e, unit } = ctx;
  const size = unit.code.opcode(i) & 0x18;
  const base = probes ? emitArenaAddress(ctx, i, RV.t2, rs) : rs;
  const at = emitLoad(ctx, rd, base, unit.code.off(i), size, false);
  const swallows = swallowsZext(ctx, i, size);
  if (probes && !(swallows && ctx.faults['acquire-without-handler'])) addHandler(ctx, at, rd);
  e.rule('memory/fence');
  e.emit(enc.fence(FENCE_R, FENCE_RW));
  return swallows ? 1 : 0;
}

/** *(rd + off) = rs, and everything before it happens before it. */
function lowerStoreRelease(ctx: JitContext, i: number, rd: number, rs: number, probes: boolean): void {
  const { e, unit } = ctx;
  const base = probes ? emitArenaAddress(ctx, i, RV.t2, rd) : rd;
  e.rule('memory/fence');
  e.emit(enc.fence(FENCE_RW, FENCE_W));
  const at = emitStore(ctx, base, unit.code.off(i), rs, unit.code.opcode(i) & 0x18);
  if (probes) addHandler(ctx, at, RV.zero);
}

function lowerReadModifyWrite(
  ctx: JitContext,
  i: number,
  rd: number,
  rs: number,
  imm: number,
  is64: boolean,
  probes: boolean,
): void {
  const { e, unit } = ctx;
  const off = unit.code.off(i);
  let address = rd;
  if (off !== 0) {
    e.rule('memory/address');
    emitAddImm(e, RV.t1, rd, off);
    address = RV.t1;
  }
  if (probes) address = emitArenaAddress(ctx, i, RV.t1, address);

  if (imm === BPF_ATOMIC_OP.CMPXCHG) {
    lowerCompareExchange(ctx, i, address, rs, is64, probes);
    return;
  }
  const fetches = (imm & BPF_ATOMIC_OP.FETCH) !== 0;
  const ordered = fetches && unit.facts.fetchOrdered && !ctx.faults['fetch-unordered'];
  const old = fetches ? rs : RV.zero;
  e.rule('atomic/operation');
  const at = e.ninsns;
  switch (imm === BPF_ATOMIC_OP.XCHG ? imm : imm & ~BPF_ATOMIC_OP.FETCH) {
    case BPF_ATOMIC_OP.ADD:
      e.emit((is64 ? enc.amoadd_d : enc.amoadd_w)(old, address, rs, ordered, ordered));
      break;
    case BPF_ATOMIC_OP.AND:
      e.emit((is64 ? enc.amoand_d : enc.amoand_w)(old, address, rs, ordered, ordered));
      break;
    case BPF_ATOMIC_OP.OR:
      e.emit((is64 ? enc.amoor_d : enc.amoor_w)(old, address, rs, ordered, ordered));
      break;
    case BPF_ATOMIC_OP.XOR:
      e.emit((is64 ? enc.amoxor_d : enc.amoxor_w)(old, address, rs, ordered, ordered));
      break;
    case BPF_ATOMIC_OP.XCHG:
      e.emit((is64 ? enc.amoswap_d : enc.amoswap_w)(old, address, rs, ordered, ordered));
      break;
    default:
      throw ctx.error('jit/opcode', i, `no atomic operation has imm 0x${(imm >>> 0).toString(16)}.`);
  }
  if (probes) addHandler(ctx, at, old);
  if (fetches && !is64) {
    e.rule('atomic/zero-extend');
    emitZextw(e, rs, rs);
  }
}

/** R0 = *address; if it was R0, *address = rs. */
function lowerCompareExchange(
  ctx: JitContext,
  i: number,
  address: number,
  rs: number,
  is64: boolean,
  probes: boolean,
): void {
  const { e, unit } = ctx;
  const r0 = RV.a5;
  if (unit.profile.isa.zacas && unit.facts.usesZacas) {
    e.rule('atomic/operation');
    const at = e.ninsns;
    e.emit((is64 ? enc.amocas_d : enc.amocas_w)(r0, address, rs, true, true));
    if (probes) addHandler(ctx, at, r0);
    if (!is64) {
      e.rule('atomic/zero-extend');
      emitZextw(e, r0, r0);
    }
    return;
  }
  if (probes)
    throw ctx.error(
      'jit/opcode',
      i,
      'compare-and-exchange on an arena needs a CPU with Zacas; add _zacas to the ISA.',
    );

  e.rule('atomic/expected');
  if (!unit.facts.compareCopyCompressed) e.emit(is64 ? enc.addi(RV.t2, r0, 0) : enc.addiw(RV.t2, r0, 0));
  else if (is64) e.mv(RV.t2, r0);
  else e.addiw(RV.t2, r0, 0);
  e.rule('atomic/compare-and-exchange');
  e.emit((is64 ? enc.lr_d : enc.lr_w)(r0, address, false, false));
  e.emit(enc.bne(RV.t2, r0, 16)); // behind the fence
  e.emit((is64 ? enc.sc_d : enc.sc_w)(RV.t3, address, rs, false, true));
  e.emit(enc.bne(RV.t3, RV.zero, -12)); // back to the load
  e.rule('atomic/fence');
  e.emit(enc.fence(FENCE_RW, FENCE_RW));
}
