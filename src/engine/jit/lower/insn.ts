import type { JitContext } from '../context';
import { lowerAlu } from './alu';
import { lowerJump } from './jump';
import { lowerLoadImm64 } from './load-imm64';
import { lowerLoad, lowerStore, lowerStoreConstant } from './memory';

/** Translates slot `i` (`bpf_jit_emit_insn`). @returns 1 if the next slot is taken along, otherwise 0 */
export type Lowering = (ctx: JitContext, i: number) => number;

/** By instruction class: LD, LDX, ST, STX, ALU, JMP, JMP32, ALU64. */
const BY_CLASS: readonly Lowering[] = [
  lowerLoadImm64,
  lowerLoad,
  lowerStoreConstant,
  lowerStore,
  lowerAlu,
  lowerJump,
  lowerJump,
  lowerAlu,
];

/** Emits the code of one instruction by its class. @returns how many of the slots behind it are done with it */
export function lowerInsn(ctx: JitContext, i: number): number {
  return BY_CLASS[ctx.unit.code.opcode(i) & 7]!(ctx, i);
}
