import { RV } from './registers';

/**
 * What a function was seen to do, as bits (`ctx->flags`, spec 1.3). A register that has to be saved stands at its number.
 */
export const SEEN_TAIL_CALL = 1 << 0;
export const SEEN_CALL = 1 << RV.ra;
export const SEEN_S6 = 1 << RV.s6;

/** Bits of the registers that BPF code may name and that a callee must preserve: s1 to s5. */
const CALLEE_SAVED = (1 << RV.s1) | (1 << RV.s2) | (1 << RV.s3) | (1 << RV.s4) | (1 << RV.s5);

/** The "seen" bit of a mapped register: itself if a callee must preserve it, otherwise nothing (spec 1.3). */
export const seenBit = (register: number): number => (1 << register) & CALLEE_SAVED;
