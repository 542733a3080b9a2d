import type { BaseRow } from '../row';

/** Address generation. */
export const ZBA = [
  ['add.uw', 'r', 0x0800003b],
  ['sh1add', 'r', 0x20002033],
  ['sh2add', 'r', 0x20004033],
  ['sh3add', 'r', 0x20006033],
  ['sh1add.uw', 'r', 0x2000203b],
  ['sh2add.uw', 'r', 0x2000403b],
  ['sh3add.uw', 'r', 0x2000603b],
  ['slli.uw', 'shift6', 0x0800101b],
] as const satisfies readonly BaseRow[];
