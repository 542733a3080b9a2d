/** What varies between the kernels that Hartbeat stands for, as data. One Profile decides what code is made. */

export type KernelVersion = '6.6' | '6.12' | '7.2' | '7.3';

/** Extensions the JIT makes use of; rv64ima is always there. */
export interface IsaExtensions {
  readonly c: boolean;
  readonly zba: boolean;
  readonly zbb: boolean;
  readonly zacas: boolean;
}

/**
 * Byte offsets that kernel struct layouts bake into code (spec 0.4, 9.7). They come with a kernel version and may be
 * overridden by what a recorded kernel reports.
 */
export interface StructLayout {
  /** bpf_array.map.max_entries */
  readonly bpfArrayMaxEntries: number;
  /** bpf_array.ptrs = .value = .pptrs */
  readonly bpfArrayPtrs: number;
  /** bpf_prog.bpf_func */
  readonly bpfProgBpfFunc: number;
  /** thread_info.cpu, from tp */
  readonly threadInfoCpu: number;
  /** htab_elem.key */
  readonly htabElemKey: number;
}

/**
 * Differences between kernel versions by name. Lowering code asks for these and never compares versions.
 * The JIT room's needs are listed in jit-facts.ts, those of the rewrites in xlate-facts.ts.
 * @typeParam Scheme names of tail call counter schemes (spec section 5); which there are, the JIT's table says
 */
export interface Profile<Scheme extends string = string> {
  readonly kernel: KernelVersion;
  readonly tcc: Scheme;
  readonly isa: IsaExtensions;
  /** kCFI type words before entries */
  readonly cfi: boolean;
  readonly layout: StructLayout;
  /** Named faults that this profile seeds on purpose (field-notes' past bugs); empty for a sound profile. */
  readonly faults: readonly string[];
}
