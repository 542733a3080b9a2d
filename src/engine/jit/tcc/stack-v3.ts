import { tccSlot } from './frame-slot';
import type { TccScheme } from './scheme';
import { stackV1 } from './stack-v1';
import { loadFromTrampoline } from './trampoline-slot';

/**
 * Pu Lehui's third proposal (2024-02-01): as the first without the load in the epilogue, and in trampolines the last load
 * only where the original was not called. (What the second changed for functions is contained in it.)
 */
export const stackV3: TccScheme = {
  ...stackV1,
  kernels: { '6.12': 'patch' },

  slotAfterS5: () => tccSlot(false),
  trampoline: {
    ...stackV1.trampoline,
    withoutOriginal: loadFromTrampoline,
    leaving: () => undefined,
  },
};
