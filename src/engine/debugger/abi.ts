import { REG } from '../rv64/registers';

/** Registers that a called function hands back unchanged, sp aside (psABI): gp, tp and s0 … s11. */
export const CALLEE_SAVED: readonly number[] = [
  ...[REG.gp, REG.tp, REG.s0, REG.s1, REG.s2, REG.s3, REG.s4, REG.s5],
  ...[REG.s6, REG.s7, REG.s8, REG.s9, REG.s10, REG.s11],
];

/** The BPF register that each RV64 register holds inside BPF code (spec 1.1). */
export const BPF_REGISTER: ReadonlyMap<number, string> = new Map([
  [REG.a5, 'R0'],
  [REG.a0, 'R1'],
  [REG.a1, 'R2'],
  [REG.a2, 'R3'],
  [REG.a3, 'R4'],
  [REG.a4, 'R5'],
  [REG.s1, 'R6'],
  [REG.s2, 'R7'],
  [REG.s3, 'R8'],
  [REG.s4, 'R9'],
  [REG.s5, 'R10'],
  [REG.t0, 'AX'],
]);
