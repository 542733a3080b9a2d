import { enc } from '../rv64/encode';
import type { JitContext } from './context';
import type { Emitter } from './emit';
import { RV } from './registers';
import type { RuleName } from './rules';

/** The comparisons that a branch can make; JSET is made of JNE (spec 6.5). */
export type Condition = 'jeq' | 'jne' | 'jgt' | 'jle' | 'jlt' | 'jge' | 'jsgt' | 'jsle' | 'jslt' | 'jsge';

const INVERSE: Readonly<Record<Condition, Condition>> = {
  jeq: 'jne',
  jne: 'jeq',
  jgt: 'jle',
  jle: 'jgt',
  jlt: 'jge',
  jge: 'jlt',
  jsgt: 'jsle',
  jsle: 'jsgt',
  jslt: 'jsge',
  jsge: 'jslt',
};

const BRANCH_REACH = 2 ** 12;
const JAL_REACH = 2 ** 20;
/** auipc adds up to ±2^31, less the sign of the low 12 bits (`in_auipc_jalr_range`). */
const AUIPC_MIN = -(2 ** 31) - 2 ** 11;
const AUIPC_MAX = 2 ** 31 - 2 ** 11;

/** Whether auipc and the instruction behind it reach this far, in bytes (`in_auipc_jalr_range`). */
export const inAuipcRange = (distance: number): boolean => distance >= AUIPC_MIN && distance < AUIPC_MAX;
/** The two immediates that auipc and the instruction behind it share out. @param distance bytes, in auipc's range */
export const auipcUpper = (distance: number): number => Math.floor((distance + 0x800) / 0x1000) & 0xfffff;
export const auipcLower = (distance: number): number => (distance << 20) >> 20;

/** The B-type instruction for a comparison of `a` with `b`; greater-than forms swap the operands (`emit_bcc`). */
export function conditionalBranch(condition: Condition, a: number, b: number, distance: number): number {
  switch (condition) {
    case 'jeq':
      return enc.beq(a, b, distance);
    case 'jne':
      return enc.bne(a, b, distance);
    case 'jgt':
      return enc.bltu(b, a, distance);
    case 'jle':
      return enc.bgeu(b, a, distance);
    case 'jlt':
      return enc.bltu(a, b, distance);
    case 'jge':
      return enc.bgeu(a, b, distance);
    case 'jsgt':
      return enc.blt(b, a, distance);
    case 'jsle':
      return enc.bge(b, a, distance);
    case 'jslt':
      return enc.blt(a, b, distance);
    case 'jsge':
      return enc.bge(a, b, distance);
  }
}

/**
 * Branches `distance` bytes if the comparison holds (`emit_branch`): one instruction within ±4 KiB, otherwise the inverse
 * condition jumps over a jump that reaches ±1 MiB or ±2 GiB.
 * @param named the branch belongs to the rule that is under way; otherwise its form is its rule
 */
export function emitBranch(
  e: Emitter,
  condition: Condition,
  a: number,
  b: number,
  distance: number,
  named = false,
): void {
  if (distance >= -BRANCH_REACH && distance < BRANCH_REACH) {
    if (!named) e.rule('branch/short');
    e.emit(conditionalBranch(condition, a, b, distance));
    return;
  }
  const behind = distance - 4;
  if (behind >= -JAL_REACH && behind < JAL_REACH) {
    if (!named) e.rule('branch/relaxed-21');
    e.emit(conditionalBranch(INVERSE[condition], a, b, 8));
    e.emit(enc.jal(RV.zero, behind));
    return;
  }
  if (!named) e.rule('branch/relaxed-32');
  e.emit(conditionalBranch(INVERSE[condition], a, b, 12));
  e.emit(enc.auipc(RV.t1, auipcUpper(behind)));
  e.emit(enc.jalr(RV.zero, RV.t1, auipcLower(behind)));
}

/**
 * Jumps `distance` bytes, with `rd` as link register (`emit_jump_and_link`, spec 4.2). A distance of 0 stands for "not known
 * yet" and gives the long form, as does everything that may not change its length.
 * @param fixed the distance will not change any more except by code that shrinks
 * @returns false if the distance is out of reach; nothing is emitted then
 */
export function emitJumpAndLink(
  e: Emitter,
  rd: number,
  distance: number,
  fixed: boolean,
  rule: RuleName,
): boolean {
  e.rule(rule);
  if (distance !== 0 && fixed && distance >= -JAL_REACH && distance < JAL_REACH) {
    e.emit(enc.jal(rd, distance));
    return true;
  }
  if (!inAuipcRange(distance)) return false;
  e.emit(enc.auipc(RV.t1, auipcUpper(distance)));
  e.emit(enc.jalr(rd, RV.t1, auipcLower(distance)));
  return true;
}

/**
 * Bytes from the start of slot `slot` to the start of the slot `off` + 1 further on (`rv_offset`). Where the target has
 * not been translated in this pass, its place in the previous one counts.
 */
export function branchDistance(ctx: JitContext, slot: number, off: number): number {
  const { offset, prologueLen } = ctx;
  const from = slot > 0 ? (offset[slot - 1] ?? 0) : prologueLen;
  const target = slot + off + 1;
  const to = target > 0 ? (offset[target - 1] ?? 0) : prologueLen;
  return 2 * (to - from);
}
