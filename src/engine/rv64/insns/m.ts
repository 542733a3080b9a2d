import type { BaseRow } from '../row';

/** Integer multiplication and division. */
export const M = [
  ['mul', 'r', 0x02000033],
  ['mulh', 'r', 0x02001033],
  ['mulhsu', 'r', 0x02002033],
  ['mulhu', 'r', 0x02003033],
  ['div', 'r', 0x02004033],
  ['divu', 'r', 0x02005033],
  ['rem', 'r', 0x02006033],
  ['remu', 'r', 0x02007033],
  ['mulw', 'r', 0x0200003b],
  ['divw', 'r', 0x0200403b],
  ['divuw', 'r', 0x0200503b],
  ['remw', 'r', 0x0200603b],
  ['remuw', 'r', 0x0200703b],
] as const satisfies readonly BaseRow[];
