/**
 * One step of a path that walking backwards must know of (struct bpf_insn_hist_entry): where it came from, when that is not
 * the preceding slot, and what the step did that its instruction alone does not tell.
 */
export interface HistoryEntry {
  readonly insn: number;
  readonly prev: number;
  /** The stack slot that a spill or fill used. */
  access: StackAccess | undefined;
  /** Scalars that a comparison narrowed together; empty for none. */
  linked: readonly LinkedPlace[];
}

export interface StackAccess {
  readonly frame: number;
  readonly slot: number;
}

/** A register or spilled value that is linked with others. */
export interface LinkedPlace {
  readonly frame: number;
  /** Register number, or slot number of a spill. */
  readonly at: number;
  readonly isSlot: boolean;
}
