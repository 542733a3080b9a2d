import { helperName } from '../bpf/helpers';
import { CALL } from '../bpf/insn';
import type { Kernel } from '../kernel/types';
import type { Machine } from '../machine/types';
import { REG } from '../rv64/registers';
import type { Arrival } from './arrivals';
import type { CodeIndex } from './code-index';

type HelperCall = Arrival & { readonly kind: 'helper-call' };
/** What is the same each time a call is made. */
type Call = Omit<HelperCall, 'args'>;

const NOTHING: readonly Arrival[] = [];

/** A call of a kernel function, as far as the machine's place tells; no call where it stands inside one. */
interface Place {
  readonly pc: bigint;
  readonly ra: bigint;
  readonly call: Call | undefined;
}

/** Tells of the machine's arrivals at entries of kernel functions. Programs make the same calls again and again. */
export class HelperArrivals {
  /** By where they return to: the last call from there. */
  private readonly known = new Map<bigint, Place>();
  private last: Place | undefined;

  constructor(
    private readonly machine: Machine,
    private readonly kernel: Kernel,
    private readonly index: CodeIndex,
  ) {}

  /** The kernel function whose entry this is; nothing inside one, where a callback or a program returns to. */
  now(): readonly Arrival[] {
    const { call } = this.place();
    if (!call) return NOTHING;
    const arg = (i: number): bigint => this.machine.getRegister(REG.a0 + i);
    return [{ ...call, args: [arg(0), arg(1), arg(2), arg(3), arg(4)] }];
  }

  private place(): Place {
    const { pc } = this.machine;
    const ra = this.machine.getRegister(REG.ra);
    if (this.last?.ra === ra && this.last.pc === pc) return this.last;
    let found = this.known.get(ra);
    if (found?.pc !== pc) {
      found = { pc, ra, call: this.callAt(pc, ra) };
      this.known.set(ra, found);
    }
    this.last = found;
    return found;
  }

  private callAt(pc: bigint, ra: bigint): Call | undefined {
    const symbol = this.kernel.symbolAt(pc);
    if (symbol && symbol.offset !== 0) return undefined;
    const name = this.kernel.trapName(pc) ?? symbol?.name;
    if (name === undefined) return undefined;
    const calledAs = this.calledBy(ra);
    const differs = calledAs !== undefined && calledAs !== name;
    return { kind: 'helper-call', pc, name, ...(differs && { calledAs }) };
  }

  /** The helper that the program's own instruction names, before the verifier chose a function for it. */
  private calledBy(ra: bigint): string | undefined {
    const code = this.index.at(ra - 1n);
    if (!code) return undefined;
    const slot = code.map.slotAt(code.offsetOf(ra - 1n));
    const origin = code.program.xlated.origin[code.fn.start + slot];
    const insn = origin && code.program.source.insns[origin.insn];
    return insn?.code === CALL && insn.src === 0 ? helperName(insn.imm) : undefined;
  }
}
