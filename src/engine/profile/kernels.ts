import type { KernelVersion, StructLayout } from './profile';

/** Struct offsets of each kernel (spec 0.4). */
export const LAYOUTS: Readonly<Record<KernelVersion, StructLayout>> = {
  '6.6': {
    bpfArrayMaxEntries: 36,
    bpfArrayPtrs: 272,
    bpfProgBpfFunc: 48,
    threadInfoCpu: 32,
    htabElemKey: 48,
  },
  '6.12': {
    bpfArrayMaxEntries: 36,
    bpfArrayPtrs: 264,
    bpfProgBpfFunc: 48,
    threadInfoCpu: 32,
    htabElemKey: 48,
  },
  '7.2': {
    bpfArrayMaxEntries: 76,
    bpfArrayPtrs: 304,
    bpfProgBpfFunc: 72,
    threadInfoCpu: 32,
    htabElemKey: 48,
  },
  '7.3': {
    bpfArrayMaxEntries: 68,
    bpfArrayPtrs: 304,
    bpfProgBpfFunc: 72,
    threadInfoCpu: 32,
    htabElemKey: 48,
  },
};

/** Every kernel, oldest first. */
export const KERNELS = Object.keys(LAYOUTS) as KernelVersion[];
