import type { KernelVersion } from '../profile/profile';

/** Page-table formats of RV64 Linux; they fix where the areas of kernel address space begin. */
export type Mmu = 'sv39' | 'sv48' | 'sv57';

/** Area starts of one page-table format (Documentation/arch/riscv/vm-layout.rst). */
export interface AreaStarts {
  /** vmalloc: kernel stacks, struct bpf_prog, large maps. */
  readonly vmalloc: bigint;
  /** Direct map of physical memory: kmalloc, pages. */
  readonly directMap: bigint;
}

export const AREAS: Readonly<Record<Mmu, AreaStarts>> = {
  sv39: { vmalloc: 0xffffffc600000000n, directMap: 0xffffffd600000000n },
  sv48: { vmalloc: 0xffff8f8000000000n, directMap: 0xffffaf8000000000n },
  sv57: { vmalloc: 0xff20000000000000n, directMap: 0xff60000000000000n },
};

/** Where a kernel image has the few things that code refers to by address. */
export interface ImageAddresses {
  /** __bpf_call_base; the functions that Hartbeat models follow it. */
  readonly callBase: bigint;
  /** The array __per_cpu_offset; other kernel data follows it. */
  readonly perCpuOffset: bigint;
  /** Start of the static per-CPU section: dynamic per-CPU pointers are relative to it, and nothing is mapped there. */
  readonly perCpuStart: bigint;
}

/** 6.12 and 7.2 from distribution builds; 6.6 and 7.3 are made up in the same ranges. */
export const IMAGE_ADDRESSES: Readonly<Record<KernelVersion, ImageAddresses>> = {
  '6.6': {
    callBase: 0xffffffff80168d5cn,
    perCpuOffset: 0xffffffff81d0c2d8n,
    perCpuStart: 0xffffffff81800000n,
  },
  '6.12': {
    callBase: 0xffffffff801803f4n,
    perCpuOffset: 0xffffffff81e5a3f8n,
    perCpuStart: 0xffffffff81800000n,
  },
  '7.2': {
    callBase: 0xffffffff8023f870n,
    perCpuOffset: 0xffffffff82391ec8n,
    perCpuStart: 0xffffffff81e00000n,
  },
  '7.3': {
    callBase: 0xffffffff80247a18n,
    perCpuOffset: 0xffffffff823a2f10n,
    perCpuStart: 0xffffffff81e00000n,
  },
};

/** BPF_JIT_REGION_START: the 128 MiB below the kernel image, where modules and BPF images live (spec 7.4). */
export const BPF_JIT_REGION_START = 0xffffffff78000000n;
/** BPF_JIT_REGION_END = the kernel image's first byte. */
export const BPF_JIT_REGION_END = 0xffffffff80000000n;

export const PAGE_SIZE = 4096;
/** Bytes of a kernel stack (THREAD_SIZE on riscv64). */
export const THREAD_SIZE = 16384;
