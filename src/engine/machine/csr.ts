import * as ops from './core/ops';

/** Numbers of the unprivileged counters ("Zicntr"). */
export const CSR_CYCLE = 0xc00;
export const CSR_TIME = 0xc01;
export const CSR_INSTRET = 0xc02;
/** The same counters by their machine-level names (Privileged ISA, "Hardware Performance Monitor"): there is one level. */
export const CSR_MCYCLE = 0xb00;
export const CSR_MINSTRET = 0xb02;

/** The core's op that reads a control and status register. The hart has no others: fcsr is absent, there is no F. */
export const CSR_OPS: ReadonlyMap<number, number> = new Map([
  [CSR_CYCLE, ops.CSR_CYCLE],
  [CSR_TIME, ops.CSR_TIME],
  [CSR_INSTRET, ops.CSR_INSTRET],
  [CSR_MCYCLE, ops.CSR_CYCLE],
  [CSR_MINSTRET, ops.CSR_INSTRET],
]);
