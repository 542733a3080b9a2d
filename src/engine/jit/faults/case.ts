import type { FaultName } from '../../profile/faults';
import type { ProfileWords } from '../profile';
import type { TrampolineModel } from '../trampoline/model';

/** What can be seen of a run; a case names the members that tell the fault. */
export interface Seen {
  /** `returns` to its caller, `faults` on a bad address, or `runs on` without end. */
  readonly end: 'returns' | 'faults' | 'runs on';
  /** BPF R0 when it returned. */
  readonly r0: bigint;
  /** What a C caller finds in a0 when it returned. */
  readonly a0: bigint;
  /** The first 64 bits of the memory that R1 of the entry pointed to. */
  readonly memory: bigint;
  /** The first argument that the first helper or kfunc got. */
  readonly firstArgument: bigint;
  /** It returned with sp and fp as they were before the call. */
  readonly spRestored: boolean;
  /** Native instructions with acquire and release ordering, in the entry's image. */
  readonly ordered: number;
  /** Exception table entries of the entry's image. */
  readonly handlers: number;
}

/** What can be seen of a trampoline. */
export interface SeenTrampoline {
  /** Bytes that the code is longer than its buffer. */
  readonly overrun: number;
  /** Bytes behind the traced function's address at which the original is entered. */
  readonly originalAt: number;
  /** What the trampoline returns in a0 when its program returns {@link TrampolineCase.programResult}. */
  readonly a0: bigint;
  /** The start time that __bpf_prog_exit is told of a program that was skipped. */
  readonly startTimeOfSkipped: bigint;
}

interface Case {
  readonly fault: FaultName;
  readonly profile: ProfileWords & { readonly cfi?: boolean };
  /** What to look at, and why it differs: a sentence for people. */
  readonly look: string;
}

/** A fault that shows when BPF programs run. */
export interface ProgramCase extends Case {
  readonly kind: 'program';
  /**
   * Programs as assembly; the first is entered with R1 = address of 64 zero bytes. `map[name:jmp]` is a prog array whose slots
   * are these programs in order.
   */
  readonly programs: readonly string[];
  /** Argument sizes of the kfuncs that occur, by imm. */
  readonly kfuncs?: readonly { readonly imm: number; readonly argSizes: readonly number[] }[];
  /** The program has an arena. */
  readonly arena?: boolean;
  readonly sound: Partial<Seen>;
  readonly faulty: Partial<Seen>;
}

/** A fault that shows in a trampoline. */
export interface TrampolineCase extends Case {
  readonly kind: 'trampoline';
  /** The image goes to {@link TrampolineModel.imageAddress}. */
  readonly model: TrampolineModel;
  /** R0 of the program that it runs. */
  readonly programResult: bigint;
  /** __bpf_prog_enter says that the program must not run. */
  readonly skips?: boolean;
  readonly sound: Partial<SeenTrampoline>;
  readonly faulty: Partial<SeenTrampoline>;
}

export type FaultCase = ProgramCase | TrampolineCase;
