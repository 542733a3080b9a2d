import { decode, type DecodedInsn } from '../../src/engine/rv64/decode';
import { compress } from '../../src/engine/rv64/compress';
import { LATE_READ, mcaCost, PIPE_A, PIPE_B, PIPES, type McaCore, type McaCost } from './mca-costs';

/** Rules of llvm-mca that the cores do not have; each can be left out, to see what it costs. */
export interface McaRules {
  /** No instruction is done before one that was issued earlier. */
  readonly completionInOrder: boolean;
  /** Instructions for either pipe get the pipes in turns; otherwise the one that the next instruction leaves. */
  readonly pipesInTurns: boolean;
  /**
   * What an opcode reads and writes is decided by its first instruction in the block: an operand that is zero there is left out
   * of all later ones, too; a result that goes to zero there takes no time in all later ones.
   */
  readonly operandsOfFirst: boolean;
}

/** llvm-mca as it is. */
export const ALL_RULES: McaRules = { completionInOrder: true, pipesInTurns: true, operandsOfFirst: true };

/** Cycles that llvm-mca assumes for a call, for want of a model of calls. */
const CALL = 100;
const WIDTH: Readonly<Record<McaCore, number>> = { rocket: 1, u74: 2 };

/**
 * llvm-mca's choice between the two pipes. Both stand in a round; each is struck out when it is taken, also by an instruction
 * that can take no other, and a new round begins when none is left. The highest one that is free and in the round is
 * chosen, and all above it are then struck out, too, as if they had had their turn. One that is taken while it is not in
 * the round misses the next round.
 */
class Turns {
  private round = PIPES;
  private missing = 0;

  choose(free: number): number {
    let candidates = free & this.round;
    if (candidates === 0) {
      this.newRound();
      candidates = free & this.round;
    }
    if (candidates === 0) {
      this.round = PIPES;
      candidates = free;
    }
    const pipe = candidates & PIPE_B ? PIPE_B : PIPE_A;
    this.round &= 2 * pipe - 1;
    return pipe;
  }

  taken(pipe: number): void {
    if (pipe > this.round) {
      this.missing |= pipe;
      return;
    }
    this.round &= ~pipe;
    if (this.round === 0) this.newRound();
  }

  private newRound(): void {
    this.round = PIPES ^ this.missing;
    this.missing = 0;
  }
}

/** The pipes within one cycle. */
class Pipes {
  private free = PIPES;
  /** Instructions that have one of the pipes, but not yet which. */
  private waiting = 0;
  private readonly turns: Turns | undefined;

  constructor({ pipesInTurns }: McaRules) {
    this.turns = pipesInTurns ? new Turns() : undefined;
  }

  nextCycle(): void {
    this.free = PIPES;
    this.waiting = 0;
  }

  /** Whether one of these pipes can be had in this cycle. */
  has(pipes: number): boolean {
    if (pipes === 0) return true;
    const left = (this.free & PIPE_A) + ((this.free & PIPE_B) >> 1) - this.waiting;
    return (this.free & pipes) !== 0 && left > 0;
  }

  take(pipes: number): void {
    if (pipes === 0) return;
    if (pipes === PIPES && !this.turns) {
      this.waiting++;
      return;
    }
    const pipe = pipes === PIPES ? this.turns!.choose(this.free) : pipes;
    this.turns?.taken(pipe);
    this.free &= ~pipe;
  }
}

/** An instruction as llvm-mca sees it in its block. */
interface McaInsn extends McaCost {
  /** Registers read, and whether by the late unit. */
  readonly reads: readonly { readonly register: number; readonly late: boolean }[];
  /** The register written; 0: none. */
  readonly rd: number;
  /** Cycles from issue until `rd` is there. */
  readonly written: number;
}

/** llvm-mca reads source and compresses what can be; where jumps lead to does not matter. */
function asAssembled(insn: DecodedInsn): DecodedInsn {
  const { base, rd, rs1, rs2, imm } = insn;
  const jumps = base.format === 'branch' || base.format === 'j';
  const short = compress(base.mnemonic, { rd, rs1, rs2, imm: jumps ? 0 : imm });
  return (short !== undefined && decode(short)) || { ...insn, spec: base };
}

/** LLVM's opcodes: flags of atomics make opcodes of their own. */
const opcodeOf = ({ spec, aq, rl }: DecodedInsn): string =>
  `${spec.mnemonic}${aq ? '.aq' : ''}${rl ? '.rl' : ''}`;

/** The block's instructions as llvm-mca sees them; undefined where LLVM's model does not have all of them. */
function asMcaSees(
  insns: readonly DecodedInsn[],
  core: McaCore,
  { operandsOfFirst }: McaRules,
): readonly McaInsn[] | undefined {
  const firsts = new Map<string, DecodedInsn>();
  const seen: McaInsn[] = [];
  for (const insn of insns.map(asAssembled)) {
    const opcode = opcodeOf(insn);
    const cost = mcaCost(core, insn);
    if (!cost) return undefined;
    const first = (operandsOfFirst && firsts.get(opcode)) || insn;
    if (first === insn) firsts.set(opcode, insn);
    const { shape } = insn.base;
    const reads = [
      { register: shape.rs1 && first.rs1 !== 0 ? insn.rs1 : 0, late: cost.late.rs1 },
      { register: shape.rs2 && first.rs2 !== 0 ? insn.rs2 : 0, late: cost.late.rs2 },
    ].filter(({ register }) => register !== 0);
    const rd = shape.rd ? insn.rd : 0;
    seen.push({
      ...cost,
      latency: opcode === 'c.jalr' ? CALL : cost.latency,
      reads,
      rd,
      written: rd !== 0 && first.rd === 0 ? 0 : cost.latency,
    });
  }
  return seen;
}

/** Issues instructions in order, by llvm-mca's rules. Cycles count from 0. */
class InOrderIssue {
  /** The first cycle in which everything issued so far is done. */
  done = 0;
  private cycle = 0;
  private issued = 0;
  private dividerFree = 0;
  private readonly pipes: Pipes;
  private readonly writers = Array.from({ length: 32 }, () => ({ ready: 0, forwards: false }));

  constructor(
    private readonly width: number,
    private readonly rules: McaRules,
  ) {
    this.pipes = new Pipes(rules);
  }

  issue({ reads, rd, written, latency, pipes, divider, forwards }: McaInsn): void {
    const from = Math.max(
      ...reads.map(({ register, late }) => this.readable(register, late)),
      divider > 0 ? this.dividerFree : 0,
      this.rules.completionInOrder ? this.done - Math.min(written, latency) : 0,
    );
    while (this.cycle < from || this.issued === this.width || !this.pipes.has(pipes)) {
      this.cycle++;
      this.issued = 0;
      this.pipes.nextCycle();
    }
    this.issued++;
    this.pipes.take(pipes);
    if (divider > 0) this.dividerFree = this.cycle + divider;
    this.done = Math.max(this.done, this.cycle + latency);
    if (rd !== 0) this.writers[rd] = { ready: this.cycle + written, forwards };
  }

  /** The first cycle in which an instruction that reads the register can issue. */
  private readable(register: number, late: boolean): number {
    const { ready, forwards } = this.writers[register]!;
    return late && forwards ? ready - LATE_READ : ready;
  }
}

/**
 * What llvm-mca calls "Total Cycles" of a block that is executed `rounds` times, worked out by llvm-mca's own rules; undefined
 * where LLVM's model does not have all of its instructions. With all rules it equals llvm-mca (test/timing), so the difference
 * between llvm-mca and a timing profile is due to the costs and rules stated here and to nothing else.
 */
export function cyclesAsMca(
  insns: readonly DecodedInsn[],
  core: McaCore,
  rounds: number,
  rules: McaRules = ALL_RULES,
): number | undefined {
  const seen = asMcaSees(insns, core, rules);
  if (!seen) return undefined;
  const issue = new InOrderIssue(WIDTH[core], rules);
  for (let i = 0; i < rounds; i++) for (const insn of seen) issue.issue(insn);
  return issue.done + 1;
}
