import { timingClassOf } from '../../src/engine/machine/timing/classes';
import type { TimingClass, TimingProfile } from '../../src/engine/machine/timing/profile';
import type { DecodedInsn } from '../../src/engine/rv64/decode';

/** What llvm-mca's model of a core says beyond the timing profile. */
export interface McaModel {
  readonly profile: TimingProfile;
  readonly width: number;
  /** Cycles until the result, or until the instruction counts as done, where that is not the profile's latency. */
  readonly latency: Readonly<Partial<Record<TimingClass, number>>>;
  /** Cycles that operands may come later than issue. */
  readonly advance: Readonly<Partial<Record<TimingClass, { readonly rs1: number; readonly rs2: number }>>>;
}

const A = 1;
const B = 2;
const BOTH = A | B;

/** The choice between two pipes in llvm-mca (DefaultResourceStrategy): in turns, the higher one first. */
class Turns {
  private next = BOTH;
  private removed = 0;

  pick(free: number): number {
    let candidates = free & this.next;
    if (candidates === 0) {
      this.next = BOTH ^ this.removed;
      this.removed = 0;
      candidates = free & this.next;
    }
    if (candidates === 0) {
      this.next = BOTH;
      candidates = free;
    }
    return candidates & B ? B : A;
  }

  used(pipe: number): void {
    if (pipe > this.next) {
      this.removed |= pipe;
      return;
    }
    this.next &= ~pipe;
    if (this.next !== 0) return;
    this.next = BOTH ^ this.removed;
    this.removed = 0;
  }
}

/**
 * Cycles that a block takes in llvm-mca when it stands again and again after itself, by llvm-mca's own rules: everything issues in
 * order, nothing is done before what was issued earlier, and pipes are taken in turns. What it gives is compared with llvm-mca:
 * where they are equal, the differences between llvm-mca and the timing profile are due to these rules and to nothing else.
 */
export function cyclesAsMca(insns: readonly DecodedInsn[], model: McaModel, rounds = 100): number {
  const ready: number[] = Array.from({ length: 32 }, () => 0);
  const turns = new Turns();
  const { width, profile } = model;
  let [cycle, issued, free, lastDone] = [0, 0, BOTH, 0];
  const nextCycle = (): void => {
    cycle++;
    issued = 0;
    free = BOTH;
  };
  const one = ({ base, rs1, rs2, rd, imm }: DecodedInsn): void => {
    const kind = timingClassOf(base, imm);
    // A nop is done at once and takes no pipe.
    const isNop = base.mnemonic === 'addi' && rd === 0;
    const latency = isNop ? 1 : (model.latency[kind] ?? profile.latency[kind] ?? 1);
    const advance = model.advance[kind] ?? { rs1: 0, rs2: 0 };
    const from = Math.max(
      base.shape.rs1 ? ready[rs1]! - advance.rs1 : 0,
      base.shape.rs2 ? ready[rs2]! - advance.rs2 : 0,
      lastDone - latency,
    );
    const wanted = profile.dualIssue?.pipes[kind];
    const mask = wanted === 'A' ? A : wanted === 'B' ? B : BOTH;
    const usesPipe = width > 1 && !isNop;
    while (cycle < from || issued === width || (usesPipe && (free & mask) === 0)) nextCycle();
    if (usesPipe) {
      const pipe = mask === BOTH ? turns.pick(free) : mask;
      turns.used(pipe);
      free &= ~pipe;
    }
    issued++;
    lastDone = Math.max(lastDone, cycle + latency);
    if (base.shape.rd && rd !== 0) ready[rd] = cycle + latency;
  };
  const run = (times: number): number => {
    for (let i = 0; i < times; i++) insns.forEach(one);
    return lastDone;
  };
  const start = run(10);
  return (run(rounds) - start) / rounds;
}
