import { BPF_PSEUDO, LD_IMM64 } from '../../bpf/insn';
import { EngineError } from '../../base/errors';
import { enc } from '../../rv64/encode';
import { auipcLower, auipcUpper, inAuipcRange } from '../branch';
import type { JitContext } from '../context';
import { emitImm64, emitImmBig } from '../load-immediate';

/**
 * Stands for a function's address before it is known: near the modules, where images lie. Only the fault that makes the
 * load's length vary lets it be seen; then it is the longest constant, so that later code shrinks.
 */
const LONGEST_CONSTANT = 0x7fff7ff7ff7ff7ffn;

/** Class LD: only ld_imm64 (0x18, two slots) exists behind the verifier. */
export function lowerLoadImm64(ctx: JitContext, i: number): number {
  const { code } = ctx.unit;
  if (code.opcode(i) !== LD_IMM64) {
    throw ctx.error(
      'jit/opcode',
      i,
      'unknown opcode; packet loads (LD_ABS, LD_IND) are rewritten before the JIT sees them.',
    );
  }
  const rd = ctx.register(code.dst(i));
  ctx.register(code.src(i)); // marks s1 for pseudo source 6, as the kernel does (spec 1.4)
  if (code.src(i) === BPF_PSEUDO.FUNC) {
    ctx.e.rule('immediate/function');
    const address = ctx.calleeAddress?.(i);
    if (ctx.faults['function-address-length-varies']) {
      emitImmBig(ctx.e, rd, address ?? LONGEST_CONSTANT);
    } else {
      emitAddress(ctx, rd, address ?? ctx.imageBase ?? 0n);
    }
  } else {
    ctx.e.rule('immediate/load-64');
    emitImm64(ctx.e, rd, code.imm(i + 1), code.imm(i));
  }
  return 1;
}

/** Loads an address relative to the program counter: two instructions in every pass (`emit_addr`, spec 6.3). */
export function emitAddress(ctx: JitContext, rd: number, address: bigint): void {
  const { e } = ctx;
  const distance = ctx.distanceTo(address);
  if (ctx.extraPass && !inAuipcRange(distance)) {
    throw new EngineError(
      'jit/range',
      `An address that ${ctx.unit.name} needs is ${distance} bytes away; auipc and addi reach ±2 GiB. Place the images nearer to the kernel.`,
      { function: ctx.unit.name, distance },
    );
  }
  e.emit(enc.auipc(rd, auipcUpper(distance)));
  e.emit(enc.addi(rd, rd, auipcLower(distance)));
}
