import * as ops from './core/ops';

/** Numbers of the unprivileged counters ("Zicntr"). */
export const CSR_CYCLE = 0xc00;
export const CSR_TIME = 0xc01;
export const CSR_INSTRET = 0xc02;

/** The core's op that reads a control and status register. The hart has no others: fcsr is absent, there is no F. */
export const CSR_OPS: ReadonlyMap<number, number> = new Map([
  [CSR_CYCLE, ops.CSR_CYCLE],
  [CSR_TIME, ops.CSR_TIME],
  [CSR_INSTRET, ops.CSR_INSTRET],
]);
