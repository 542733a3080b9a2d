/** Timing profiles that sessions count cycles by (the machine's, without `none`): rocket unless told. */
export const TIMINGS = ['rocket', 'u74', 'ideal'] as const;
export type Timing = (typeof TIMINGS)[number];
