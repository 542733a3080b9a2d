import type { Kernel, KernelEvent, KernelProgram } from '../kernel/types';
import type { Machine, MachineStop } from '../machine/types';
import { REG } from '../rv64/registers';
import type { Arrival } from './arrivals';
import type { CodeFunction, CodeIndex } from './code-index';
import { HelperArrivals } from './helper-arrivals';
import { deepestEntries } from './stack-bounds';
import { refusalReason, type TailCallSite } from './tail-calls';
import { Watching, type WatchEvent, type WatchRequest } from './watching';

/** What whoever drives an execution wants it to halt for. */
export interface Interest {
  /** Addresses, of code or of traps, before whose instruction to halt. */
  readonly addresses: ReadonlySet<bigint>;
  wants(arrival: Arrival): boolean;
  /** Also halt (as for the budget) once the machine has counted this many cycles. Such runs are some ten times slower. */
  readonly untilCycle?: bigint;
  /** Watchpoints to halt after; the same array as long as they do not change. */
  readonly watches?: readonly WatchRequest[];
}

export const NO_INTEREST: Interest = { addresses: new Set(), wants: () => false };

/** Why an execution came back to its driver. */
export type Halt =
  /** The instruction budget is used up. */
  | { readonly kind: 'budget' }
  /** An address or arrival of interest, or watchpoints that what was executed last has hit. */
  | {
      readonly kind: 'arrived';
      readonly arrivals: readonly Arrival[];
      readonly watched: readonly WatchEvent[];
    }
  | { readonly kind: 'exit'; readonly returnValue: bigint }
  | { readonly kind: 'fault'; readonly stop: MachineStop }
  | { readonly kind: 'unknown'; readonly pc: bigint; readonly message: string };

/** A frame that a tail call has replaced: what the call stack says about it. */
export interface Replacement {
  /** The function whose frame it was. */
  readonly from: CodeFunction;
  /** Tail calls that this frame has seen since it was made by a call. */
  readonly count: number;
}

/** Told about everything that happens while the programs run, in order. */
export interface ExecutionListener {
  arrival?(arrival: Arrival): void;
  /** @param site an address inside the call that led to it, where BPF code made one */
  kernelEvent?(event: KernelEvent, site: bigint | undefined): void;
}

/** What lies at an address that the execution watches. */
interface Hook {
  readonly entry?: CodeFunction;
  readonly code?: CodeFunction;
  /** The tail call that begins here, that jumps here, and that a refusal ends here. */
  readonly start?: TailCallSite;
  readonly jump?: TailCallSite;
  readonly end?: TailCallSite;
}

/** What an execution keeps beside machine and kernel; part of every checkpoint. */
export interface ExecutionState {
  readonly tailCalls: number;
  readonly helperCalls: number;
  readonly extraTime: number;
  readonly entryPc: bigint;
  readonly entrySp: bigint;
  readonly lowestSp: bigint;
  readonly attempted: TailCallSite | undefined;
  readonly replaced: ReadonlyMap<bigint, Replacement>;
}

const NOTHING: readonly Arrival[] = [];

/**
 * Runs the machine and the kernel around it as one, and sees on the way what the machine alone cannot know: tail calls
 * with their outcome, calls into the kernel, the depth of the stack. It watches few addresses and lets the machine run
 * at full speed between them.
 */
export class Execution {
  /** Halts of the machine so far, replays included: they take more time by the clock than the instructions between them. */
  halts = 0;
  tailCalls = 0;
  helperCalls = 0;
  /** Time that is no instruction's. */
  private extraTime = 0;
  private entryPc = 0n;
  private entrySp = 0n;
  private lowestSp = 0n;
  private readonly hooks = new Map<bigint, Hook>();
  /** Function entries that need not be watched any more in this run. */
  private readonly unhooked = new Map<bigint, Hook>();
  /** Deepest entry of each function of the program, where it is known beforehand. */
  private bounds: ReadonlyMap<number, number> = new Map();
  private wanted: ReadonlySet<bigint> = new Set();
  /** The tail call whose native code the machine is in. */
  private attempted: TailCallSite | undefined;
  private replaced = new Map<bigint, Replacement>();
  private kernelEvents: number;
  private readonly watching: Watching;
  private readonly helperCalled: HelperArrivals;

  constructor(
    readonly machine: Machine,
    readonly kernel: Kernel,
    readonly index: CodeIndex,
    private readonly listener: ExecutionListener = {},
  ) {
    this.kernelEvents = kernel.eventCount;
    this.watching = new Watching(machine);
    this.helperCalled = new HelperArrivals(machine, kernel, index);
    for (const code of index.functions) {
      if (code.fn.index > 0) this.hook(code.fn.bpfFunc, { entry: code });
      for (const site of code.tailCalls) {
        this.hook(site.start, { code, start: site });
        this.hook(site.jump, { code, jump: site });
        this.hook(site.end, { code, end: site });
      }
    }
  }

  private hook(address: bigint, hook: Hook): void {
    if (!this.hooks.has(address)) this.machine.setBreakpoint(address);
    this.hooks.set(address, { ...this.hooks.get(address), ...hook });
  }

  /** Call when the machine has been placed at a program's entry: counts start anew. */
  begin(program: KernelProgram): void {
    this.tailCalls = 0;
    this.helperCalls = 0;
    this.extraTime = 0;
    this.replaced.clear();
    this.attempted = undefined;
    this.kernelEvents = this.kernel.eventCount;
    this.entryPc = this.machine.pc;
    this.entrySp = this.machine.getRegister(REG.sp);
    this.lowestSp = this.entrySp;
    this.bounds = deepestEntries(program, this.kernel.programs);
    this.hookAgain();
    const main = this.index.at(program.jit.functions[0]!.bpfFunc);
    if (main) this.enterFrame(main);
  }

  /**
   * What has been done so far: instructions, kernel functions and repaired faults count one each. Two executions of the same
   * run are in the same state at the same time.
   */
  get time(): number {
    return Number(this.machine.instructions) + this.extraTime;
  }

  /** Bytes of stack that the BPF functions have used at most. */
  get stackBytes(): number {
    return Number(this.entrySp - this.lowestSp);
  }

  /** A tail call chain behind the frame whose CFA this is. */
  replacementAt(cfa: bigint): Replacement | undefined {
    return this.replaced.get(cfa);
  }

  private enterFrame(code: CodeFunction): void {
    const sp = this.machine.getRegister(REG.sp);
    const low = sp - BigInt(code.fn.frame.size);
    if (low < this.lowestSp) this.lowestSp = low;
    // Entered as deep as can be: there is nothing left to learn from this function's entry.
    const depth = Number(this.entrySp - sp);
    if (code.fn.index > 0 && this.bounds.get(code.fn.index) === depth) this.unhook(code.fn.bpfFunc);
  }

  private unhook(address: bigint): void {
    const hook = this.hooks.get(address);
    if (!hook || hook.code) return;
    this.hooks.delete(address);
    this.unhooked.set(address, hook);
    if (!this.wanted.has(address)) this.machine.clearBreakpoint(address);
  }

  private hookAgain(): void {
    for (const [address, hook] of this.unhooked) {
      if (!this.wanted.has(address)) this.machine.setBreakpoint(address);
      this.hooks.set(address, hook);
    }
    this.unhooked.clear();
  }

  /** True while the machine stands in kernel code: the next thing to happen is the kernel's. */
  get inKernel(): boolean {
    return this.isTrap(this.machine.pc);
  }

  private isTrap(address: bigint): boolean {
    return this.machine.memory.regionAt(address)?.trap === true;
  }

  /**
   * Executes from here until something of interest, at least one instruction (or one kernel function, when the machine
   * stands at one). What lies at the present address has been reported when the machine came to it.
   * @param budget in units of time; halts of the machine on the way, which take as long as many instructions, use it up, too
   */
  advance(budget: number, interest: Interest): Halt {
    this.setWanted(interest.addresses);
    this.watching.arm(interest.watches);
    let end = this.time + budget;
    let left = budget;
    for (;;) {
      const halt = this.executeSome(left, interest.untilCycle);
      if (halt) {
        this.watching.take();
        return halt;
      }
      end -= HALT_COST;
      this.halts++;
      left = end - this.time;
      const arrivals = this.arrive();
      const watched = this.watching.take();
      if (
        watched.length > 0 ||
        (arrivals !== NOTHING && arrivals.some((arrival) => interest.wants(arrival)))
      ) {
        return { kind: 'arrived', arrivals, watched };
      }
      if (interest.addresses.size > 0 && interest.addresses.has(this.machine.pc)) {
        return { kind: 'arrived', arrivals, watched };
      }
      if (left <= 0 || this.hasPassed(interest.untilCycle)) return { kind: 'budget' };
    }
  }

  private hasPassed(cycle: bigint | undefined): boolean {
    return cycle !== undefined && (this.machine.counters().cycles ?? 0n) >= cycle;
  }

  /** Arms the machine for exactly these addresses beside the execution's own. */
  private setWanted(addresses: ReadonlySet<bigint>): void {
    if (addresses === this.wanted) return;
    for (const address of this.wanted) {
      if (!addresses.has(address) && !this.hooks.has(address)) this.machine.clearBreakpoint(address);
    }
    for (const address of addresses) {
      // The machine comes back at every trap of itself.
      if (this.wanted.has(address) || this.hooks.has(address) || this.isTrap(address)) continue;
      this.machine.setBreakpoint(address);
    }
    this.wanted = addresses;
  }

  /** One stretch: the kernel's work at a trap, the jump of a tail call, or a run. */
  private executeSome(limit: number, untilCycle: bigint | undefined): Halt | undefined {
    const { machine } = this;
    const { pc } = machine;
    const jumping = this.attempted?.jump === pc ? this.hooks.get(pc)?.code : undefined;
    const stop = jumping ? machine.step() : machine.run(limit, { skipFirst: true, untilCycle });
    switch (stop.reason) {
      case 'trap':
        // Either it came to the trap just now, or it stood there from the start and has done nothing.
        return stop.pc === pc ? this.enterKernel(pc) : undefined;
      case 'fault':
        return this.repair(stop);
      case 'watch':
        this.watching.stopped(stop);
        return undefined;
      case 'ebreak':
      case 'ecall':
        return { kind: 'fault', stop };
      default:
        if (jumping) this.takeTailCall(jumping);
        return undefined;
    }
  }

  private repair(stop: MachineStop & { readonly reason: 'fault' }): Halt | undefined {
    const repaired = this.watching.during({ kind: 'fixup', pc: stop.pc }, () =>
      this.kernel.handleFault(stop),
    );
    if (!repaired) return { kind: 'fault', stop };
    this.extraTime++;
    return undefined;
  }

  private enterKernel(pc: bigint): Halt | undefined {
    const site = this.machine.getRegister(REG.ra) - 1n;
    this.extraTime++;
    const outcome = this.watching.during({ kind: 'kernel', pc, site }, () =>
      this.kernel.handleTrap({ reason: 'trap', pc }),
    );
    if (outcome.kind === 'continue' && outcome.helper !== undefined) this.helperCalls++;
    this.drainKernelEvents(site);
    switch (outcome.kind) {
      case 'continue':
        return undefined;
      case 'exit':
        return { kind: 'exit', returnValue: outcome.returnValue };
      case 'unknown':
        return { kind: 'unknown', pc: outcome.pc, message: outcome.message };
    }
  }

  private drainKernelEvents(site: bigint): void {
    const place = this.index.at(site) ? site : undefined;
    for (const event of this.kernel.eventsSince(this.kernelEvents)) this.listener.kernelEvent?.(event, place);
    this.kernelEvents = this.kernel.eventCount;
  }

  private takeTailCall(from: CodeFunction): void {
    this.tailCalls++;
    this.attempted = undefined;
    const cfa = this.machine.getRegister(REG.sp);
    const before = this.replaced.get(cfa);
    // A subprogram's frame was made by a call, so the chain behind it (of an earlier frame at this place) has ended.
    const continues = from.fn.index === 0 ? (before?.count ?? 0) : 0;
    for (const dead of this.replaced.keys()) if (dead < cfa) this.replaced.delete(dead);
    this.replaced.set(cfa, { from, count: continues + 1 });
  }

  /** Reports what lies at the address that the machine has come to. */
  private arrive(): readonly Arrival[] {
    const { pc } = this.machine;
    if (pc === this.entryPc && this.machine.getRegister(REG.sp) === this.entrySp) this.replaced.clear(); // a repeated run
    const hook = this.hooks.get(pc);
    const arrivals = hook ? this.arriveAtHook(hook) : this.inKernel ? this.helperCalled.now() : NOTHING;
    for (const arrival of arrivals) this.listener.arrival?.(arrival);
    return arrivals;
  }

  private arriveAtHook(hook: Hook): readonly Arrival[] {
    if (hook.entry) this.enterFrame(hook.entry);
    const arrivals: Arrival[] = [];
    const { code } = hook;
    if (code && hook.end && hook.end === this.attempted) {
      const reason = refusalReason(hook.end, this.machine);
      arrivals.push({ kind: 'tail-call-refused', reason, ...this.tailCallPlace(code, hook.end) });
      this.attempted = undefined;
    }
    if (code && hook.start) {
      this.attempted = hook.start;
      arrivals.push({ kind: 'tail-call-attempted', ...this.tailCallPlace(code, hook.start) });
    }
    if (code && hook.jump && hook.jump === this.attempted) arrivals.push(this.taken(code, hook.jump));
    return arrivals;
  }

  private tailCallPlace(code: CodeFunction, site: TailCallSite) {
    const { machine } = this;
    return {
      code,
      site,
      array: machine.getRegister(REG.a1),
      index: Number(BigInt.asUintN(32, machine.getRegister(REG.a2))),
      a6: machine.getRegister(REG.a6),
    };
  }

  private taken(code: CodeFunction, site: TailCallSite): Arrival {
    const jump = code.map.nativeAt(code.offsetOf(site.jump))?.insn;
    const target = jump && this.index.at(this.machine.getRegister(jump.rs1) + BigInt(jump.imm));
    if (target) this.enterFrame(target);
    return { kind: 'tail-call-taken', target, ...this.tailCallPlace(code, site) };
  }

  save(): ExecutionState {
    const { tailCalls, helperCalls, extraTime, entryPc, entrySp, lowestSp, attempted } = this;
    const replaced = new Map(this.replaced);
    return { tailCalls, helperCalls, extraTime, entryPc, entrySp, lowestSp, attempted, replaced };
  }

  load(state: ExecutionState): void {
    this.hookAgain();
    this.tailCalls = state.tailCalls;
    this.helperCalls = state.helperCalls;
    this.extraTime = state.extraTime;
    this.entryPc = state.entryPc;
    this.entrySp = state.entrySp;
    this.lowestSp = state.lowestSp;
    this.attempted = state.attempted;
    this.replaced = new Map(state.replaced);
    this.kernelEvents = this.kernel.eventCount;
  }
}

/** Units of the budget that one halt of the machine takes: a slice of a run stays short by the clock, whatever it does. */
export const HALT_COST = 200;
