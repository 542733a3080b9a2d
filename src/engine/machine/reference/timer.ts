import type { DecodedInsn } from '../../rv64/decode';
import { timingClassOf } from '../timing/classes';
import type { CacheShape, TimingClass, TimingProfile } from '../timing/profile';
import type { LostCause } from '../timing/pipeline';

/** What is known about an instruction once it has executed. */
export interface ExecutedInsn {
  readonly pc: bigint;
  /** Address of the instruction after it in memory, and of that which executes next. */
  readonly following: bigint;
  readonly next: bigint;
  /** Whether it jumped; a branch may lead to the instruction after it either way. */
  readonly jumped: boolean;
  /** rs1 and rs2 before. */
  readonly a: bigint;
  readonly b: bigint;
  /** Address of the data it accessed. */
  readonly data?: bigint;
  /** Bytes from the base of its region: what branch counters are chosen by. */
  readonly offset: bigint;
}

/** When an instruction will issue. Nothing has changed yet: it may still trap. */
export interface IssuePlan {
  readonly insn: DecodedInsn;
  readonly kind: TimingClass;
  readonly cycle: number;
  readonly paired: boolean;
  readonly waited: number;
  readonly waitedFor?: LostCause;
}

type Late = { readonly rs1: boolean; readonly rs2: boolean; readonly result: boolean };
const NOT_LATE: Late = { rs1: false, rs2: false, result: false };

/** The cause that a wait for a result of this class is put down to. */
const WAIT_CAUSE: Readonly<Partial<Record<TimingClass, LostCause>>> = {
  load: 'load-use',
  'load-small': 'load-use',
  mul: 'mul',
  cpop: 'mul',
  'alu-late': 'late-result',
  'alu-b-late': 'late-result',
  amo: 'atomic',
  lr: 'atomic',
  sc: 'atomic',
};

/** The link registers of the manual's return-address stack hints. */
const isLink = (register: number): boolean => register === 1 || register === 5;

/**
 * The timing model once more, for reading and for checking the core's against. In order: an instruction issues in the cycle
 * after the one before it (or in the same, as second of two), not before its operands are ready.
 */
export class ReferenceTimer {
  /** The cycle in which the last instruction issued, or up to which it held up all others. */
  cycle = 0;
  paired = 0;
  readonly lost = new Map<LostCause, number>();
  private readonly ready = Array.from({ length: 32 }, () => 0);
  private readonly readyCause: (LostCause | undefined)[] = Array.from({ length: 32 }, () => undefined);
  /** The instruction that the next may issue together with. */
  private first: { readonly pipe: 'A' | 'B' | undefined; readonly rd: number } | undefined;
  private dividerFree = 0;
  private readonly counters = new Map<number, number>();
  private readonly returns: bigint[];
  private returnTop = 0;
  private readonly targets = new Map<number, { readonly pc: bigint; readonly target: bigint }>();
  private readonly instructionCache: ReferenceCache;
  private readonly dataCache: ReferenceCache;
  private line: bigint | undefined;

  constructor(
    readonly profile: TimingProfile,
    private readonly caches = false,
  ) {
    this.returns = Array.from({ length: profile.returnStack }, () => 0n);
    this.instructionCache = new ReferenceCache(profile.instructionCache);
    this.dataCache = new ReferenceCache(profile.dataCache);
  }

  private lose(cause: LostCause, cycles: number): void {
    if (cycles > 0) this.lost.set(cause, (this.lost.get(cause) ?? 0) + cycles);
  }

  /** Holds up everything behind the current instruction. */
  private hold(cause: LostCause, cycles: number): void {
    this.lose(cause, cycles);
    this.cycle += cycles;
    this.first = undefined;
  }

  /** Fetches an instruction: with caches its line has to be there. */
  fetch(pc: bigint): void {
    if (!this.caches) return;
    const line = pc / BigInt(this.profile.instructionCache.line);
    if (line === this.line) return;
    this.line = line;
    if (!this.instructionCache.touch(pc)) this.hold('icache', this.profile.instructionCache.miss);
  }

  /** When the instruction issues. */
  plan(insn: DecodedInsn): IssuePlan {
    const { dualIssue } = this.profile;
    const kind = timingClassOf(insn.base, insn.imm);
    const late = dualIssue?.late[kind] ?? NOT_LATE;
    const lateBy = dualIssue?.lateUnit ?? 0;
    const needs = this.sources(insn).map((register, index) => {
      const isLate = index === 0 ? late.rs1 : late.rs2;
      return { register, from: this.ready[register]! - (isLate ? lateBy : 0) };
    });
    const from = Math.max(0, ...needs.map((need) => need.from));
    if (dualIssue && this.first && this.goesWithFirst(insn, kind) && from <= this.cycle) {
      return { insn, kind, cycle: this.cycle, paired: true, waited: 0 };
    }
    const earliest = this.cycle + 1;
    const cycle = Math.max(earliest, from);
    const waitedFor = cycle > earliest ? this.causeOf(needs.filter((need) => need.from === from)) : undefined;
    return { insn, kind, cycle, paired: false, waited: cycle - earliest, waitedFor };
  }

  /** rs1 and rs2 as the instruction reads them; x0 for those it does not. */
  private sources({ base, rs1, rs2, rd }: DecodedInsn): [number, number] {
    // Without effect nothing is read.
    const idle = rd === 0 && isPure(base.format);
    return idle ? [0, 0] : [base.shape.rs1 ? rs1 : 0, base.shape.rs2 ? rs2 : 0];
  }

  /** Several operands may become ready in the same cycle: the cause named is the one listed last. */
  private causeOf(needs: readonly { readonly register: number }[]): LostCause | undefined {
    const order: readonly (LostCause | undefined)[] = [
      'load-use',
      'mul',
      'div',
      'atomic',
      'csr-or-jump',
      'late-result',
    ];
    const causes = needs.map(({ register }) => this.readyCause[register]);
    return causes.sort((a, b) => order.indexOf(b) - order.indexOf(a))[0];
  }

  private goesWithFirst(insn: DecodedInsn, kind: TimingClass): boolean {
    const first = this.first!;
    const pipe = this.profile.dualIssue!.pipes[kind];
    const roomLeft = pipe === undefined || first.pipe === undefined || pipe !== first.pipe;
    const [rs1, rs2] = this.sources(insn);
    const touchesFirst =
      first.rd !== 0 && (rs1 === first.rd || rs2 === first.rd || destination(insn) === first.rd);
    return roomLeft && !touchesFirst;
  }

  /** Books the instruction that was planned, with all that follows from its execution. */
  executed(plan: IssuePlan, facts: ExecutedInsn): void {
    const { insn, kind } = plan;
    const { profile } = this;
    if (plan.waitedFor) this.lose(plan.waitedFor, plan.waited);
    this.cycle = plan.cycle;
    if (plan.paired) this.paired++;
    const rd = destination(insn);
    if (profile.dualIssue) this.first = plan.paired ? undefined : { pipe: profile.dualIssue.pipes[kind], rd };

    if (kind === 'div' && rd !== 0) this.divide(insn, facts);
    else if (rd !== 0) this.setReady(plan, rd);
    if (kind !== 'div' && rd !== 0 && insn.base.shape.rd?.even) this.setReady(plan, rd + 1);
    if (this.caches && facts.data !== undefined && !this.dataCache.touch(facts.data)) {
      this.hold('dcache', profile.dataCache.miss);
      if (rd !== 0) this.ready[rd]! += profile.dataCache.miss;
      if (rd !== 0 && insn.base.shape.rd?.even) this.ready[rd + 1]! += profile.dataCache.miss;
    }
    if (insn.base.format === 'branch') this.branch(insn, facts);
    if (kind === 'jal' && isLink(insn.rd)) this.push(facts.following);
    if (kind === 'jalr') this.jumpToRegister(insn, facts);
    if (facts.jumped) this.first = undefined;
    if (insn.base.mnemonic === 'fence.i') {
      this.hold('flush', profile.flush);
      this.instructionCache.clear();
      this.line = undefined;
    }
  }

  private setReady({ insn, kind, cycle }: IssuePlan, rd: number): void {
    const { profile } = this;
    const latency = profile.latency[kind] ?? 1;
    const late = profile.dualIssue?.late[kind];
    const [rs1, rs2] = this.sources(insn);
    const wasLate = late?.result === true && Math.max(this.ready[rs1]!, this.ready[rs2]!) > cycle;
    // One at a time, a result that is there at once does not push aside an older one that is still on its way.
    if (latency === 1 && !profile.dualIssue) return;
    this.ready[rd] = cycle + latency + (wasLate ? profile.dualIssue!.lateUnit : 0);
    this.readyCause[rd] = wasLate
      ? 'late-result'
      : latency > 1
        ? (WAIT_CAUSE[kind] ?? 'csr-or-jump')
        : undefined;
  }

  private divide(insn: DecodedInsn, { a, b }: ExecutedInsn): void {
    if (this.dividerFree > this.cycle) this.hold('div', this.dividerFree - this.cycle);
    const { base, perBit } = this.profile.divide;
    const time = base + perBit * quotientBits(insn, a, b);
    this.ready[insn.rd] = this.cycle + time;
    this.readyCause[insn.rd] = 'div';
    this.dividerFree = this.cycle + time - 1;
  }

  private mispredict(): void {
    this.hold('branch', this.profile.mispredict);
  }

  private branch({ imm }: DecodedInsn, { offset, jumped: taken }: ExecutedInsn): void {
    const { branchCounters } = this.profile;
    if (branchCounters === 0) {
      if (taken !== imm < 0) this.mispredict();
      return;
    }
    const slot = Number((offset / 2n) % BigInt(branchCounters));
    const counter = this.counters.get(slot) ?? 0;
    this.counters.set(slot, taken ? Math.min(3, counter + 1) : Math.max(0, counter - 1));
    if (taken !== counter >= 2) this.mispredict();
  }

  private push(address: bigint): void {
    this.returnTop = (this.returnTop + 1) % this.returns.length;
    this.returns[this.returnTop] = address;
  }

  private pop(): bigint {
    const address = this.returns[this.returnTop]!;
    this.returns[this.returnTop] = 0n;
    this.returnTop = (this.returnTop + this.returns.length - 1) % this.returns.length;
    return address;
  }

  private jumpToRegister({ rd, rs1 }: DecodedInsn, { pc, following, next }: ExecutedInsn): void {
    let predicted: bigint;
    if (isLink(rs1) && rs1 !== rd) predicted = this.pop();
    else {
      const slot = Number((pc / 2n) % BigInt(this.profile.jumpTargets));
      const known = this.targets.get(slot);
      predicted = known?.pc === pc ? known.target : 0n;
      this.targets.set(slot, { pc, target: next });
    }
    if (isLink(rd)) this.push(following);
    if (predicted !== next) this.mispredict();
  }
}

const isPure = (format: string): boolean => ['i', 'shift6', 'shift5', 'r', 'unary', 'u'].includes(format);

const destination = ({ base, rd }: DecodedInsn): number => (base.shape.rd ? rd : 0);

/** Significant bits of the quotient's magnitude; all when dividing by zero. */
function quotientBits({ base: { mnemonic } }: DecodedInsn, a: bigint, b: bigint): number {
  const width = mnemonic.endsWith('w') ? 32 : 64;
  const signed = !mnemonic.includes('u');
  const magnitude = (value: bigint): bigint => {
    const read = signed ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value);
    return read < 0n ? -read : read;
  };
  const divisor = magnitude(b);
  if (divisor === 0n) return width;
  const bits = (value: bigint): number => (value === 0n ? 0 : value.toString(2).length);
  return Math.max(0, bits(magnitude(a)) - bits(divisor) + 1);
}

/** A cache with least-recently-used replacement. */
class ReferenceCache {
  /** Line numbers of each set, used last first. */
  private readonly sets = new Map<bigint, bigint[]>();

  constructor(private readonly shape: CacheShape) {}

  /** Whether the line was there; it is afterwards. */
  touch(address: bigint): boolean {
    const { size, ways, line } = this.shape;
    const number = address / BigInt(line);
    const index = number % BigInt(size / line / ways);
    const set = this.sets.get(index) ?? [];
    const hit = set.includes(number);
    this.sets.set(index, [number, ...set.filter((other) => other !== number)].slice(0, ways));
    return hit;
  }

  clear(): void {
    this.sets.clear();
  }
}
