import { helperName } from '../bpf/helpers';
import { BPF_CLASS, BPF_JMP_OP } from '../bpf/insn';
import type { Kernel, KernelEvent, KernelProgram } from '../kernel/types';
import type { Machine, MachineStop } from '../machine/types';
import { REG } from '../rv64/registers';
import type { Arrival, TailCallArrival } from './arrivals';
import type { CodeFunction, CodeIndex } from './code-index';
import type { TailCallCheck, TailCallSite } from './tail-calls';

/** What whoever drives an execution wants it to halt for. */
export interface Interest {
  /** Addresses, of code or of traps, before whose instruction to halt. */
  readonly addresses: ReadonlySet<bigint>;
  wants(arrival: Arrival): boolean;
}

export const NO_INTEREST: Interest = { addresses: new Set(), wants: () => false };

/** Why an execution came back to its driver. */
export type Halt =
  /** The instruction budget is used up. */
  | { readonly kind: 'budget' }
  /** An address or arrival of interest. */
  | { readonly kind: 'arrived'; readonly arrivals: readonly Arrival[] }
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

interface Hook {
  readonly site?: { readonly code: CodeFunction; readonly site: TailCallSite };
  readonly entry?: CodeFunction;
}

interface ActiveCheck {
  readonly code: CodeFunction;
  readonly site: TailCallSite;
  readonly check: TailCallCheck;
}

/** What an execution keeps beside machine and kernel; part of every checkpoint. */
export interface ExecutionState {
  readonly tailCalls: number;
  readonly helperCalls: number;
  readonly lowestSp: bigint;
  readonly refusal: TailCallArrival | undefined;
  readonly replaced: ReadonlyMap<bigint, Replacement>;
}

/**
 * Runs the machine and the kernel around it as one, and sees on the way what the machine alone cannot know: tail calls
 * with their outcome, calls into the kernel, the depth of the stack. It watches few addresses and lets the machine run
 * at full speed between them.
 */
export class Execution {
  tailCalls = 0;
  helperCalls = 0;
  private lowestSp: bigint;
  private readonly hooks = new Map<bigint, Hook>();
  /** Each native instruction of a tail call's tests. */
  private readonly checks = new Map<bigint, ActiveCheck>();
  private readonly armed = new Set<bigint>();
  private wanted: ReadonlySet<bigint> = new Set();
  private refusal: TailCallArrival | undefined;
  private replaced = new Map<bigint, Replacement>();
  private kernelEvents: number;

  constructor(
    readonly machine: Machine,
    readonly kernel: Kernel,
    readonly index: CodeIndex,
    private readonly listener: ExecutionListener = {},
  ) {
    this.lowestSp = machine.getRegister(REG.sp);
    this.kernelEvents = kernel.events.length;
    for (const code of index.functions) {
      if (code.fn.index > 0) this.hook(code.fn.bpfFunc, { entry: code });
      for (const site of code.tailCalls) {
        this.hook(site.start, { site: { code, site } });
        this.hook(site.jump, { site: { code, site } });
        for (const check of site.checks) this.addCheck(code, site, check);
      }
    }
  }

  private hook(address: bigint, hook: Hook): void {
    this.hooks.set(address, { ...this.hooks.get(address), ...hook });
    this.arm(address);
  }

  private addCheck(code: CodeFunction, site: TailCallSite, check: TailCallCheck): void {
    for (const native of code.map.native) {
      const address = code.fn.base + BigInt(native.offset);
      if (address < check.from) continue;
      if (address >= check.to) break;
      this.checks.set(address, { code, site, check });
    }
    this.arm(check.from);
  }

  private arm(address: bigint): void {
    if (this.armed.has(address)) return;
    this.armed.add(address);
    this.machine.setBreakpoint(address);
  }

  /** Call when the machine has been placed at a program's entry: counts start anew. */
  begin(program: KernelProgram): void {
    this.tailCalls = 0;
    this.helperCalls = 0;
    this.replaced.clear();
    this.refusal = undefined;
    this.kernelEvents = this.kernel.events.length;
    this.entryPc = this.machine.pc;
    this.entrySp = this.machine.getRegister(REG.sp);
    this.lowestSp = this.entrySp;
    const main = this.index.at(program.jit.functions[0]!.bpfFunc);
    if (main) this.enterFrame(main);
  }

  private entryPc = 0n;
  private entrySp = 0n;

  /** Bytes of stack that the BPF functions have used at most. */
  get stackBytes(): number {
    return Number(this.entrySp - this.lowestSp);
  }

  /** A tail call chain behind the frame whose CFA this is. */
  replacementAt(cfa: bigint): Replacement | undefined {
    return this.replaced.get(cfa);
  }

  private enterFrame(code: CodeFunction): void {
    const low = this.machine.getRegister(REG.sp) - BigInt(code.fn.frame.size);
    if (low < this.lowestSp) this.lowestSp = low;
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
   * @param budget instructions
   */
  advance(budget: number, interest: Interest): Halt {
    this.setWanted(interest.addresses);
    let left = budget;
    for (;;) {
      const before = this.machine.counters().instructions;
      const halt = this.executeSome(left);
      if (halt) return halt;
      // A kernel function takes no instructions, but is something done all the same.
      left -= Math.max(Number(this.machine.counters().instructions - before), 1);
      const arrivals = this.arrive();
      if (interest.addresses.has(this.machine.pc) || arrivals.some((arrival) => interest.wants(arrival))) {
        return { kind: 'arrived', arrivals };
      }
      if (left <= 0) return { kind: 'budget' };
    }
  }

  /** Arms the machine for exactly these addresses beside the execution's own. */
  private setWanted(addresses: ReadonlySet<bigint>): void {
    if (addresses === this.wanted) return;
    for (const address of this.wanted) {
      if (!addresses.has(address) && !this.armed.has(address)) this.machine.clearBreakpoint(address);
    }
    for (const address of addresses) {
      // The machine comes back at every trap of itself.
      if (this.wanted.has(address) || this.armed.has(address) || this.isTrap(address)) continue;
      this.machine.setBreakpoint(address);
    }
    this.wanted = addresses;
  }

  /** One stretch: the kernel's work at a trap, a single instruction where it matters, or a run. */
  private executeSome(limit: number): Halt | undefined {
    const { machine } = this;
    const { pc } = machine;
    if (this.inKernel) return this.enterKernel(pc);
    const check = this.checks.get(pc);
    const jump = this.hooks.get(pc)?.site;
    const taken = jump && jump.site.jump === pc ? jump : undefined;
    const stop = check || taken ? machine.step() : machine.run(limit, { skipFirst: true });
    if (stop.reason === 'fault') return this.kernel.handleFault(stop) ? undefined : { kind: 'fault', stop };
    if (stop.reason === 'ebreak' || stop.reason === 'ecall') return { kind: 'fault', stop };
    if (check) this.decide(check);
    if (taken) this.takeTailCall(taken.code);
    return undefined;
  }

  private enterKernel(pc: bigint): Halt | undefined {
    const site = this.machine.getRegister(REG.ra) - 1n;
    const outcome = this.kernel.handleTrap({ reason: 'trap', pc });
    if (outcome.kind === 'continue' && outcome.event?.kind === 'helper') this.helperCalls++;
    this.drainKernelEvents(this.index.at(site) ? site : undefined);
    switch (outcome.kind) {
      case 'continue':
        return undefined;
      case 'exit':
        return { kind: 'exit', returnValue: outcome.returnValue };
      case 'unknown':
        return { kind: 'unknown', pc: outcome.pc, message: outcome.message };
    }
  }

  private drainKernelEvents(site: bigint | undefined): void {
    const { events } = this.kernel;
    for (; this.kernelEvents < events.length; this.kernelEvents++) {
      this.listener.kernelEvent?.(events[this.kernelEvents]!, site);
    }
  }

  /** A test of a tail call has been executed in part or whole: leaving it anywhere but at its end refuses the call. */
  private decide({ code, site, check }: ActiveCheck): void {
    const { pc } = this.machine;
    if (pc >= check.from && pc <= check.to) return;
    this.refusal = { kind: 'tail-call-refused', reason: check.reason, ...this.tailCallPlace(code, site) };
  }

  private takeTailCall(from: CodeFunction): void {
    this.tailCalls++;
    const cfa = this.machine.getRegister(REG.sp);
    const before = this.replaced.get(cfa);
    // A subprogram's frame was made by a call, so the chain behind it (of an earlier frame at this place) has ended.
    const continues = from.fn.index === 0 ? (before?.count ?? 0) : 0;
    for (const dead of this.replaced.keys()) if (dead < cfa) this.replaced.delete(dead);
    this.replaced.set(cfa, { from, count: continues + 1 });
  }

  /** Reports what lies at the address that the machine has come to. */
  private arrive(): Arrival[] {
    const { pc } = this.machine;
    const arrivals: Arrival[] = [];
    if (this.refusal) {
      arrivals.push(this.refusal);
      this.refusal = undefined;
    }
    const hook = this.hooks.get(pc);
    if (hook?.entry) this.enterFrame(hook.entry);
    if (pc === this.entryPc && this.machine.getRegister(REG.sp) === this.entrySp) this.replaced.clear(); // repeated run
    if (hook?.site) {
      const { code, site } = hook.site;
      if (pc === site.start)
        arrivals.push({ kind: 'tail-call-attempted', ...this.tailCallPlace(code, site) });
      if (pc === site.jump) arrivals.push(this.taken(code, site));
    }
    if (!hook && this.inKernel) {
      const helper = this.helperAt(pc);
      if (helper) arrivals.push(helper);
    }
    for (const arrival of arrivals) this.listener.arrival?.(arrival);
    return arrivals;
  }

  private tailCallPlace(code: CodeFunction, site: TailCallSite) {
    const address = this.machine.getRegister(REG.a1);
    const map = this.kernel.maps.find((m) => m.address === address);
    return { code, site, map, index: Number(BigInt.asUintN(32, this.machine.getRegister(REG.a2))) };
  }

  private taken(code: CodeFunction, site: TailCallSite): Arrival {
    const jump = code.map.nativeAt(code.offsetOf(site.jump))?.insn;
    const target = jump && this.index.at(this.machine.getRegister(jump.rs1) + BigInt(jump.imm));
    if (target) this.enterFrame(target);
    return { kind: 'tail-call-taken', target, ...this.tailCallPlace(code, site) };
  }

  /** The kernel function whose entry this is; undefined inside one, where a callback or a program returns to. */
  private helperAt(pc: bigint): Arrival | undefined {
    const symbol = this.kernel.symbolAt(pc);
    if (symbol && symbol.offset !== 0) return undefined;
    const name = this.kernel.trapName(pc) ?? symbol?.name;
    if (name === undefined) return undefined;
    const args = Array.from({ length: 5 }, (_, i) => this.machine.getRegister(REG.a0 + i));
    const calledAs = this.calledAs();
    return {
      kind: 'helper-call',
      pc,
      name,
      args,
      ...(calledAs !== undefined && calledAs !== name && { calledAs }),
    };
  }

  /** The helper that the program's own instruction names, before the verifier chose a function for it. */
  private calledAs(): string | undefined {
    const ra = this.machine.getRegister(REG.ra);
    const code = this.index.at(ra - 1n);
    if (!code) return undefined;
    const slot = code.map.slotAt(code.offsetOf(ra - 1n));
    const origin = code.program.xlated.origin[code.fn.start + slot];
    const insn = origin && code.program.source.insns[origin.insn];
    if (insn?.code !== (BPF_CLASS.JMP | BPF_JMP_OP.CALL) || insn.src !== 0) return undefined;
    return helperName(insn.imm);
  }

  save(): ExecutionState {
    return {
      tailCalls: this.tailCalls,
      helperCalls: this.helperCalls,
      lowestSp: this.lowestSp,
      refusal: this.refusal,
      replaced: new Map(this.replaced),
    };
  }

  load(state: ExecutionState): void {
    this.tailCalls = state.tailCalls;
    this.helperCalls = state.helperCalls;
    this.lowestSp = state.lowestSp;
    this.refusal = state.refusal;
    this.replaced = new Map(state.replaced);
    this.kernelEvents = this.kernel.events.length;
  }
}
