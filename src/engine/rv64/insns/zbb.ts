import type { BaseRow } from '../row';

/** Basic bit manipulation, the RV64 encodings. */
export const ZBB = [
  ['andn', 'r', 0x40007033],
  ['orn', 'r', 0x40006033],
  ['xnor', 'r', 0x40004033],
  ['clz', 'unary', 0x60001013],
  ['ctz', 'unary', 0x60101013],
  ['cpop', 'unary', 0x60201013],
  ['clzw', 'unary', 0x6000101b],
  ['ctzw', 'unary', 0x6010101b],
  ['cpopw', 'unary', 0x6020101b],
  ['max', 'r', 0x0a006033],
  ['maxu', 'r', 0x0a007033],
  ['min', 'r', 0x0a004033],
  ['minu', 'r', 0x0a005033],
  ['sext.b', 'unary', 0x60401013],
  ['sext.h', 'unary', 0x60501013],
  ['zext.h', 'unary', 0x0800403b],
  ['rol', 'r', 0x60001033],
  ['ror', 'r', 0x60005033],
  ['rori', 'shift6', 0x60005013],
  ['rolw', 'r', 0x6000103b],
  ['rorw', 'r', 0x6000503b],
  ['roriw', 'shift5', 0x6000501b],
  ['orc.b', 'unary', 0x28705013],
  ['rev8', 'unary', 0x6b805013],
] as const satisfies readonly BaseRow[];
