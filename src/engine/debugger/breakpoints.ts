import { EngineError, unreachable } from '../base/errors';
import { hex64 } from '../base/hex';
import { isSecondSlot } from '../bpf/print';
import type { Kernel } from '../kernel/types';
import type { Arrival } from './arrivals';
import type { CodeIndex } from './code-index';
import { symbolText } from './locations';
import type { BreakpointSpec, BreakpointView, RunTarget, WatchSpec } from './views';
import type { WatchEvent, WatchRequest } from './watching';
import { isWatchSpec, sameWatch, watchLabel, watchLimit, watchOf } from './watchpoints';

/** What a place in code stands for in this session. */
export interface ResolvedPlace {
  readonly addresses: readonly bigint[];
  /** How it reads in a list. */
  readonly label: string;
  /** Why it cannot be reached, one sentence. */
  readonly problem?: string;
  /** A line without code stands for the next one that has some. */
  readonly spec?: RunTarget;
}

interface Breakpoint {
  readonly id: number;
  readonly spec: BreakpointSpec;
  enabled: boolean;
  hits: number;
  place: ResolvedPlace;
}

/** The code that breakpoints are resolved against: changes with each session, while the breakpoints stay. */
export interface BreakpointTarget {
  readonly index: CodeIndex;
  readonly kernel: Kernel;
}

/** The breakpoints on one opened object. They outlive sessions: each new session binds them to its code. */
export class Breakpoints {
  private readonly list: Breakpoint[] = [];
  private nextId = 1;
  private target: BreakpointTarget | undefined;
  private byAddress: ReadonlyMap<bigint, readonly Breakpoint[]> = new Map();

  /** Resolves all breakpoints against a session's code and starts their hit counts anew. */
  bind(target: BreakpointTarget): void {
    this.target = target;
    for (const breakpoint of this.list) {
      breakpoint.place = this.resolve(breakpoint.spec);
      breakpoint.hits = 0;
    }
    this.collect();
  }

  /**
   * Adds a breakpoint; one that is there already is enabled and given back.
   * @throws EngineError `debugger/watch` for a register or range that cannot be watched
   */
  add(spec: BreakpointSpec): BreakpointView {
    const place = this.resolve(spec);
    const settled = place.spec ?? spec;
    const same = this.list.find((b) => sameSpec(b.spec, settled));
    const breakpoint = same ?? { id: this.nextId++, spec: settled, enabled: true, hits: 0, place };
    breakpoint.enabled = true;
    if (!same) this.list.push(breakpoint);
    this.collect();
    return view(breakpoint);
  }

  /** @throws EngineError `debugger/breakpoint` for an id that there is not. */
  change(id: number, enabled: boolean): BreakpointView {
    const breakpoint = this.find(id);
    breakpoint.enabled = enabled;
    this.collect();
    return view(breakpoint);
  }

  /** @throws EngineError `debugger/breakpoint` for an id that there is not. */
  remove(id: number): void {
    this.list.splice(this.list.indexOf(this.find(id)), 1);
    this.collect();
  }

  views(): readonly BreakpointView[] {
    return this.list.map(view);
  }

  /** Addresses of all enabled breakpoints; the same set object as long as nothing changes. */
  addresses: ReadonlySet<bigint> = new Set();

  /** All enabled watchpoints; the same array as long as nothing changes. */
  watches: readonly WatchRequest[] = [];

  /** Enabled breakpoints that the machine has come to, and watchpoints it has hit: their hits are counted. */
  hit(pc: bigint, arrivals: readonly Arrival[], watched: readonly WatchEvent[]): readonly BreakpointView[] {
    const hits = this.matching(pc, arrivals, watched);
    for (const breakpoint of hits) breakpoint.hits++;
    return hits.map(view);
  }

  /** Enabled breakpoints at a place, as when going back to it. */
  at(pc: bigint, arrivals: readonly Arrival[], watched: readonly WatchEvent[]): readonly BreakpointView[] {
    return this.matching(pc, arrivals, watched).map(view);
  }

  private matching(
    pc: bigint,
    arrivals: readonly Arrival[],
    watched: readonly WatchEvent[],
  ): readonly Breakpoint[] {
    const here = this.byAddress.get(pc) ?? [];
    if (here.length === 0 && arrivals.length === 0 && watched.length === 0) return [];
    return this.list.filter(
      (b) =>
        b.enabled &&
        (here.includes(b) ||
          arrivals.some((arrival) => matches(b.spec, arrival)) ||
          watched.some((event) => event.id === b.id)),
    );
  }

  wants(arrival: Arrival): boolean {
    return this.list.some((b) => b.enabled && matches(b.spec, arrival));
  }

  private find(id: number): Breakpoint {
    const breakpoint = this.list.find((b) => b.id === id);
    if (!breakpoint) throw new EngineError('debugger/breakpoint', `There is no breakpoint ${id}.`, { id });
    return breakpoint;
  }

  private resolve(spec: BreakpointSpec): ResolvedPlace {
    if (spec.kind === 'event') return { addresses: [], label: eventLabel(spec) };
    if (isWatchSpec(spec)) {
      watchOf(spec);
      return { addresses: [], label: watchLabel(spec) };
    }
    if (!this.target) return { addresses: [], label: plainLabel(spec), problem: 'No session is running.' };
    return resolvePlace(this.target, spec);
  }

  private collect(): void {
    const byAddress = new Map<bigint, Breakpoint[]>();
    for (const breakpoint of this.list) {
      if (!breakpoint.enabled) continue;
      for (const address of breakpoint.place.addresses) {
        const there = byAddress.get(address);
        if (there) there.push(breakpoint);
        else byAddress.set(address, [breakpoint]);
      }
    }
    this.byAddress = byAddress;
    this.addresses = new Set(byAddress.keys());
    this.watches = this.collectWatches();
  }

  /** Watchpoints beyond what the machine can watch at once say so. */
  private collectWatches(): readonly WatchRequest[] {
    const requests: WatchRequest[] = [];
    for (const breakpoint of this.list) {
      const { id, spec, enabled } = breakpoint;
      if (!isWatchSpec(spec)) continue;
      breakpoint.place = this.resolve(spec);
      if (!enabled) continue;
      const most = watchLimit(spec.kind);
      if (requests.filter(({ watch }) => watch.kind === spec.kind).length < most) {
        requests.push({ id, watch: watchOf(spec) });
      } else breakpoint.place = { ...breakpoint.place, problem: tooMany(spec, most) };
    }
    return requests;
  }
}

const tooMany = ({ kind }: WatchSpec, most: number): string =>
  `Only ${most} ${kind} watchpoints can be on at once; remove or disable another one.`;

/** Finds the native addresses that a place in code stands for; never throws, a `problem` says why there are none. */
export function resolvePlace(target: BreakpointTarget, spec: RunTarget): ResolvedPlace {
  switch (spec.kind) {
    case 'native':
      return resolveNative(target, spec);
    case 'bpf':
      return resolveSlot(target, spec);
    case 'line':
      return resolveLine(target, spec);
    default:
      return unreachable(spec);
  }
}

function resolveNative(
  { index, kernel }: BreakpointTarget,
  spec: RunTarget & { kind: 'native' },
): ResolvedPlace {
  const address = BigInt(spec.address);
  const code = index.at(address);
  if (!code) {
    const label = hex64(address);
    return { addresses: [], label, problem: `No BPF code lies at ${label}.` };
  }
  const label = symbolText(kernel, address);
  if (!code.map.nativeAt(code.offsetOf(address))) {
    return { addresses: [], label, problem: `No instruction begins at ${hex64(address)}.` };
  }
  return { addresses: [address], label };
}

function resolveSlot({ index }: BreakpointTarget, spec: RunTarget & { kind: 'bpf' }): ResolvedPlace {
  const code = index.functions.find((f) => f.key === spec.function);
  const label = plainLabel(spec);
  if (!code)
    return { addresses: [], label, problem: `There is no function ${spec.function} in this session.` };
  const { map, fn } = code;
  if (spec.slot >= map.slotCount) {
    return { addresses: [], label, problem: `${fn.name} has the slots 0 to ${map.slotCount - 1}.` };
  }
  if (isSecondSlot(code.program.xlated.insns, fn.start + spec.slot)) {
    return {
      addresses: [],
      label,
      problem: `Slot ${spec.slot} is the second half of a 64-bit load; break on slot ${spec.slot - 1}.`,
    };
  }
  return { addresses: [fn.base + BigInt(map.startOf(spec.slot))], label };
}

function resolveLine({ index }: BreakpointTarget, spec: RunTarget & { kind: 'line' }): ResolvedPlace {
  const statements = index.functions.flatMap((code) =>
    code.map.statements
      .filter(({ line }) => sameFile(line.file, spec.file))
      .map(({ line, offset }) => ({ line, address: code.fn.base + BigInt(offset) })),
  );
  const label = plainLabel(spec);
  if (statements.length === 0) {
    return { addresses: [], label, problem: `No code of this session comes from ${spec.file}.` };
  }
  // A line without code (a brace, a comment) stands for the next one that has some, as in other debuggers.
  const lines = statements.map(({ line }) => line.line).filter((line) => line >= spec.line);
  if (lines.length === 0) {
    return {
      addresses: [],
      label,
      problem: `No code comes from line ${spec.line} or a later one of ${spec.file}.`,
    };
  }
  const settled = { kind: 'line', file: statements[0]!.line.file, line: Math.min(...lines) } as const;
  const addresses = statements.filter(({ line }) => line.line === settled.line).map(({ address }) => address);
  return { addresses: [...new Set(addresses)].sort(ascending), label: plainLabel(settled), spec: settled };
}

const ascending = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

const baseName = (file: string): string => file.slice(file.lastIndexOf('/') + 1);
/** Line information may hold a path where the user names the file alone. */
const sameFile = (recorded: string, asked: string): boolean =>
  recorded === asked || (!asked.includes('/') && baseName(recorded) === asked);

function plainLabel(spec: RunTarget): string {
  switch (spec.kind) {
    case 'native':
      return spec.address;
    case 'bpf':
      return `${spec.function} slot ${spec.slot}`;
    case 'line':
      return `${baseName(spec.file)}:${spec.line}`;
  }
}

function eventLabel(spec: BreakpointSpec & { kind: 'event' }): string {
  switch (spec.event) {
    case 'tail-call-attempted':
      return 'tail call attempted';
    case 'tail-call-taken':
      return 'tail call taken';
    case 'tail-call-refused':
      return 'tail call refused';
    case 'helper-call':
      return spec.helper === undefined ? 'helper call' : `call of ${spec.helper}`;
  }
}

function matches(spec: BreakpointSpec, arrival: Arrival): boolean {
  if (spec.kind !== 'event' || spec.event !== arrival.kind) return false;
  if (arrival.kind !== 'helper-call' || spec.helper === undefined) return true;
  const wanted = plainName(spec.helper);
  return plainName(arrival.name) === wanted || plainName(arrival.calledAs ?? '') === wanted;
}

/** Helpers may be named with or without `bpf_`. */
const plainName = (name: string): string => name.replace(/^bpf_/, '');

function sameSpec(a: BreakpointSpec, b: BreakpointSpec): boolean {
  switch (a.kind) {
    case 'native':
      return b.kind === a.kind && BigInt(a.address) === BigInt(b.address);
    case 'bpf':
      return b.kind === a.kind && a.function === b.function && a.slot === b.slot;
    case 'line':
      return b.kind === a.kind && sameFile(a.file, b.file) && a.line === b.line;
    case 'event':
      return b.kind === a.kind && a.event === b.event && a.helper === b.helper;
    default:
      return sameWatch(a, b);
  }
}

function view({ id, spec, enabled, hits, place }: Breakpoint): BreakpointView {
  return {
    id,
    spec,
    enabled,
    hits,
    addresses: place.addresses.map(hex64),
    label: place.label,
    ...(place.problem !== undefined && { problem: place.problem }),
  };
}
