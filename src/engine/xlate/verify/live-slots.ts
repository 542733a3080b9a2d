import { BPF_ATOMIC_OP, BPF_CLASS, BPF_MODE, BPF_PSEUDO, CALL, type BpfInsn } from '../../bpf/insn';
import type { KnownRegisters } from './const-registers';
import type { VerifierEnv } from './env';
import {
  entryFlow,
  joinFlows,
  moveOrigin,
  NO_FRAME,
  transfer,
  type Flow,
  type Origin,
} from './frame-pointers';
import { argumentAccess, argumentCount, type Access } from './helper-access';
import { HELPER } from './helper-protos';
import { successors } from './live-registers';
import { accessSize, insnClass, insnMode } from './liveness';
import { MAX_STACK, type VerifierState } from './state';

/** Stack is followed in pieces of 4 bytes: bit 0 for -4 to -1, bit 1 for the 4 bytes below, … */
const PIECE = 4;
const PIECES = MAX_STACK / PIECE;
export const ALL_PIECES = (1n << BigInt(PIECES)) - 1n;

/** Functions analysed, over all ways to call them, before the kernel gives up. */
const MAX_ANALYSES = 10_000;
/** Instructions looked at, so that no program takes for ever. */
const MAX_WORK = 4_000_000;

/** Pieces of one function's stack, by instruction of the function that uses them. */
interface Marks {
  readonly reads: bigint[];
  readonly writes: bigint[];
  readonly live: bigint[];
}

/** A function as one call runs it (struct func_instance). */
class Instance {
  /** By depth of the function whose stack it is. */
  readonly marks: (Marks | undefined)[] = [];
  finished = false;

  constructor(
    readonly func: number,
    readonly start: number,
    readonly length: number,
    readonly depth: number,
  ) {}

  of(frame: number): Marks {
    const zeros = (): bigint[] => Array<bigint>(this.length).fill(0n);
    return (this.marks[frame] ??= { reads: zeros(), writes: zeros(), live: zeros() });
  }

  read(frame: number, at: number, pieces: bigint): void {
    const { reads } = this.of(frame);
    reads[at - this.start]! |= pieces;
  }

  write(frame: number, at: number, pieces: bigint): void {
    const { writes } = this.of(frame);
    writes[at - this.start]! |= pieces;
  }

  liveBefore(frame: number, at: number): bigint {
    return this.marks[frame]?.live[at - this.start] ?? 0n;
  }

  /** Adds another way to call the function: all that either reads, only what both write. */
  merge(other: Instance): void {
    for (let frame = 0; frame <= this.depth; frame++) {
      const known = this.marks[frame] !== undefined;
      const theirs = other.marks[frame];
      if (!known && !theirs) continue;
      const mine = this.of(frame);
      for (let i = 0; i < this.length; i++) {
        mine.reads[i]! |= theirs?.reads[i] ?? 0n;
        mine.writes[i] = known ? mine.writes[i]! & (theirs?.writes[i] ?? 0n) : 0n;
      }
    }
  }
}

const pieces = (low: number, high: number): bigint => {
  const last = Math.min(high, PIECES - 1);
  return low > last ? 0n : ((1n << BigInt(last - low + 1)) - 1n) << BigInt(low);
};

/** Callbacks that helpers call before they return: in which register, and which argument becomes which (r1 to r5). */
const CALLBACKS: ReadonlyMap<number, { func: number; from: number; to: number }> = new Map([
  [HELPER.LOOP, { func: 2, from: 3, to: 2 }],
  [HELPER.FOR_EACH_MAP_ELEM, { func: 2, from: 3, to: 4 }],
  [HELPER.FIND_VMA, { func: 3, from: 4, to: 3 }],
  [HELPER.USER_RINGBUF_DRAIN, { func: 2, from: 3, to: 2 }],
]);

const ARGUMENTS = [1, 2, 3, 4, 5];

/**
 * Which bytes of stack may still be read, by data flow: pointers derived from frame pointers are followed forwards through
 * every function for every way to call it, then what they read and write backwards (kernel/bpf/liveness.c).
 */
export class LiveSlots {
  private readonly instances = new Map<string, Instance>();
  private readonly orders = new Map<number, readonly number[]>();
  private readonly analysed = new Set<number>();
  /** What the caller had spilled, by the call's slot. */
  private readonly spilledAt = new Map<number, Flow['slots']>();
  private readonly callsites: number[] = [];
  private analyses = 0;
  private work = 0;

  constructor(
    private readonly env: VerifierEnv,
    private readonly known: readonly KnownRegisters[],
  ) {
    this.analyse(this.instance(0, 0, 0), []);
    for (const func of this.callersFirst()) {
      if (this.analysed.has(func) && !env.input.functions[func]!.isGlobal) continue;
      this.analyse(this.instance(func, 0, 0), []);
    }
  }

  /** The pieces of the stack of the function at depth `frame` that some way on from the state reads (bpf_stack_slot_alive). */
  alive(state: VerifierState, insn: number, frame: number): bigint {
    const innermost = state.frames.length - 1;
    const current = this.find(state, innermost);
    if (!current) return ALL_PIECES;
    const seen = frame + current.depth - innermost;
    let live = seen <= current.depth ? current.liveBefore(seen, insn) : 0n;
    for (let depth = frame; depth < innermost; depth++) {
      const instance = this.find(state, depth);
      const relative = instance ? frame + instance.depth - depth : 0;
      if (!instance || relative > instance.depth) return ALL_PIECES;
      const { callsite } = state.frames[depth + 1]!;
      const next = this.env.auxAt(callsite).callsCallback ? callsite : callsite + 1;
      live |= instance.liveBefore(relative, next);
    }
    return live;
  }

  private find(state: VerifierState, frame: number): Instance | undefined {
    const { func, callsite } = state.frames[frame]!;
    for (let depth = frame; depth > 0; depth--) {
      const found = this.instances.get(`${depth} ${callsite}`);
      if (found) return found;
    }
    return this.instances.get(`0 ${this.env.input.functions[func]!.start}`);
  }

  private instance(func: number, callsite: number, depth: number): Instance {
    const { start, end } = this.env.input.functions[func]!;
    const key = `${depth} ${depth > 0 ? callsite : start}`;
    let instance = this.instances.get(key);
    if (!instance) this.instances.set(key, (instance = new Instance(func, start, end - start, depth)));
    return instance;
  }

  /** Functions in an order in which callers come before what they call. */
  private callersFirst(): number[] {
    const { functions } = this.env.input;
    const order: number[] = [];
    const visited = new Set<number>();
    const visit = (func: number): void => {
      if (visited.has(func)) return;
      visited.add(func);
      const { start, end } = functions[func]!;
      for (let at = start; at < end; at++) {
        const insn = this.env.insnAt(at);
        if (isLocalCall(insn)) visit(this.env.functionOf(at + 1 + insn.imm));
      }
      order.push(func);
    };
    functions.forEach((_, func) => visit(func));
    return order.reverse();
  }

  /** Slots of a function so that every one comes after those that follow it, but for loops (compute_postorder). */
  private postorder(func: number): readonly number[] {
    const known = this.orders.get(func);
    if (known) return known;
    const { start, end } = this.env.input.functions[func]!;
    const order: number[] = [];
    const seen = new Set([start]);
    const expanded = new Set<number>();
    const stack = [start];
    for (let at = stack.at(-1); at !== undefined; at = stack.at(-1)) {
      if (expanded.has(at)) {
        order.push(at);
        stack.pop();
        continue;
      }
      expanded.add(at);
      for (const next of successors(this.env, at)) {
        if (seen.has(next) || next < start || next >= end) continue;
        seen.add(next);
        stack.push(next);
      }
    }
    this.orders.set(func, order);
    return order;
  }

  /** One function with arguments of the given origins, and what it hands them to (analyze_subprog). */
  private analyse(target: Instance, args: readonly (Origin | undefined)[]): void {
    const { env } = this;
    if (++this.analyses > MAX_ANALYSES) this.giveUp(target.start);
    const instance = target.finished
      ? new Instance(target.func, target.start, target.length, target.depth)
      : target;
    this.analysed.add(target.func);
    const flows = this.follow(instance, args);
    for (const at of this.postorder(target.func)) {
      const regs = flows[at - target.start]?.regs;
      const callee = regs && this.calledFunction(instance, at, regs);
      if (!callee || callee.args.every((arg) => !arg || arg.kind === 'none')) continue;
      if (instance.depth === env.facts.maxFrames - 1)
        env.refuse('depth', `more than ${env.facts.maxFrames} functions call each other`, at);
      const inner = this.instance(callee.func, at, instance.depth + 1);
      this.callsites[instance.depth] = at;
      this.analyse(inner, callee.args);
      for (let frame = 0; frame < inner.depth; frame++)
        if (inner.marks[frame]) instance.read(frame, at, inner.liveBefore(frame, inner.start));
    }
    if (instance !== target) target.merge(instance);
    this.flowBack(target);
    target.finished = true;
  }

  private giveUp(at: number): never {
    return this.env.refuse('complexity', 'functions are called in too many ways to follow their stacks', at);
  }

  /** The function that the call runs, with the origins of its arguments. */
  private calledFunction(
    instance: Instance,
    at: number,
    regs: Flow['regs'],
  ): { func: number; args: (Origin | undefined)[] } | undefined {
    const insn = this.env.insnAt(at);
    if (isLocalCall(insn))
      return {
        func: this.env.functionOf(at + 1 + insn.imm),
        args: regs.slice(0, ARGUMENTS.length + 1).fill(NO_FRAME, 0, 1),
      };
    const callback = insn.code === CALL && insn.src === 0 ? CALLBACKS.get(insn.imm) : undefined;
    if (!callback) return undefined;
    const passed = regs[callback.from];
    const func = this.known[at]?.[callback.func];
    if (func?.kind !== 'func') {
      // several functions, which may read all that they are given
      if (passed && passed.kind !== 'none')
        for (let frame = 0; frame <= instance.depth; frame++) instance.read(frame, at, ALL_PIECES);
      return undefined;
    }
    const args = Array<Origin | undefined>(ARGUMENTS.length + 1).fill(NO_FRAME);
    args[callback.to] = passed;
    return { func: func.func, args };
  }

  /** Origins before each instruction of the function; notes what it reads and writes (compute_subprog_args). */
  private follow(instance: Instance, args: readonly (Origin | undefined)[]): (Flow | undefined)[] {
    const { env } = this;
    const { start, length, depth } = instance;
    const order = this.postorder(instance.func);
    const flows = Array<Flow | undefined>(length).fill(undefined);
    flows[0] = entryFlow(depth, args);
    const spilledBy = (frame: number): Flow['slots'] | undefined =>
      this.spilledAt.get(this.callsites[frame]!);
    for (let changed = true; changed;) {
      changed = false;
      for (let i = order.length - 1; i >= 0; i--) {
        const at = order[i]!;
        const flow = flows[at - start];
        if (!flow) continue;
        if (++this.work > MAX_WORK) this.giveUp(at);
        const after = transfer(env.insnAt(at), flow, depth, spilledBy);
        for (const next of successors(env, at)) {
          if (next < start || next >= start + length) continue;
          const joined = joinFlows(flows[next - start], after);
          if (joined === flows[next - start]) continue;
          flows[next - start] = joined;
          changed = true;
        }
      }
    }
    for (const at of order) {
      const flow = flows[at - start];
      if (flow) this.record(instance, at, flow);
    }
    return flows;
  }

  private record(instance: Instance, at: number, flow: Flow): void {
    const insn = this.env.insnAt(at);
    const memory = memoryAccess(insn);
    if (memory) {
      const origin = flow.regs[memory.base];
      if (origin) recordAccess(instance, at, moveOrigin(origin, insn.off), memory);
    }
    if (insn.code !== CALL) return;
    if (insn.src === BPF_PSEUDO.CALL || this.env.auxAt(at).callsCallback) this.spilledAt.set(at, flow.slots);
    if (insn.src === BPF_PSEUDO.CALL) return;
    const count = argumentCount(this.env, at);
    for (let arg = 0; arg < count; arg++) {
      const origin = flow.regs[arg + 1];
      if (!origin || origin.kind === 'none') continue;
      recordAccess(instance, at, origin, argumentAccess(this.env, at, arg, this.known[at] ?? []));
    }
  }

  /** From reads and writes to what is live before each instruction (update_instance). */
  private flowBack(instance: Instance): void {
    const { env } = this;
    const { start, length } = instance;
    const order = this.postorder(instance.func);
    for (const marks of instance.marks) {
      if (!marks) continue;
      for (let changed = true; changed;) {
        changed = false;
        for (const at of order) {
          const next = successors(env, at);
          if (next.length === 0) continue;
          if (++this.work > MAX_WORK) this.giveUp(at);
          let after = 0n;
          for (const to of next) if (to >= start && to < start + length) after |= marks.live[to - start]!;
          const before = (after & ~marks.writes[at - start]!) | marks.reads[at - start]!;
          if (before === marks.live[at - start]) continue;
          marks.live[at - start] = before;
          changed = true;
        }
      }
    }
  }
}

const isLocalCall = (insn: BpfInsn): boolean => insn.code === CALL && insn.src === BPF_PSEUDO.CALL;

type MemoryAccess = Exclude<Access, string> & { readonly base: number };

/** What a load or store does, and through which register. */
function memoryAccess(insn: BpfInsn): MemoryAccess | undefined {
  const bytes = accessSize(insn.code);
  switch (insnClass(insn.code)) {
    case BPF_CLASS.LDX:
      return { how: 'read', bytes, base: insn.src };
    case BPF_CLASS.ST:
      return { how: 'write', bytes, base: insn.dst };
    case BPF_CLASS.STX:
      if (insnMode(insn.code) !== BPF_MODE.ATOMIC) return { how: 'write', bytes, base: insn.dst };
      if (insn.imm === BPF_ATOMIC_OP.LOAD_ACQ) return { how: 'read', bytes, base: insn.src };
      return { how: insn.imm === BPF_ATOMIC_OP.STORE_REL ? 'write' : 'read', bytes, base: insn.dst };
    default:
      return undefined;
  }
}

/** Notes an access through a pointer of the given origin (record_stack_access, record_imprecise). */
function recordAccess(instance: Instance, at: number, origin: Origin, access: Access): void {
  if (access === 'none' || origin.kind === 'none') return;
  if (origin.kind === 'frames') {
    for (let frame = 0; frame <= instance.depth; frame++)
      if ((origin.mask & (1 << frame)) !== 0) instance.read(frame, at, ALL_PIECES);
    return;
  }
  const { frame, offsets } = origin;
  if (frame > instance.depth) return;
  const writes = access !== 'unknown' && access.how === 'write';
  if (offsets.length === 0) {
    if (!writes) instance.read(frame, at, ALL_PIECES);
    return;
  }
  // only a store to one place is sure to write there
  if (writes && offsets.length !== 1) return;
  for (const off of offsets) recordAt(instance, frame, at, off, access);
}

function recordAt(
  instance: Instance,
  frame: number,
  at: number,
  off: number,
  access: Exclude<Access, 'none'>,
): void {
  if (off >= 0) return;
  const highest = Math.trunc((-off - 1) / PIECE);
  if (access === 'unknown') {
    instance.read(frame, at, pieces(0, highest));
  } else if (access.how === 'read') {
    instance.read(frame, at, pieces(Math.max(0, Math.trunc((-off - access.bytes) / PIECE)), highest));
  } else {
    // pieces that are written as a whole
    const lowest = Math.max(0, Math.trunc((-off - access.bytes + PIECE - 1) / PIECE));
    instance.write(frame, at, pieces(lowest, Math.trunc(-off / PIECE) - 1));
  }
}
