import type { Machine, MachineObserver, MachineStop, Watch } from '../machine/types';
import { becomes } from '../machine/watches';
import { u64 } from '../base/u64';

/** A watchpoint that an execution is asked to look out for. */
export interface WatchRequest {
  /** Of whoever asks; an event names it. */
  readonly id: number;
  readonly watch: Watch;
}

/** Who accessed a register or memory. */
export type Accessor =
  /** The instruction at pc. */
  | { readonly kind: 'instruction'; readonly pc: bigint }
  /** The kernel function entered at pc, or a callback's return to it there; `site` lies in the call, where BPF code made it. */
  | { readonly kind: 'kernel'; readonly pc: bigint; readonly site: bigint }
  /** The kernel's repair of a probing load that faulted at pc (fixup_exception). */
  | { readonly kind: 'fixup'; readonly pc: bigint };

/** A watchpoint was hit. */
export type WatchEvent =
  | {
      readonly kind: 'register';
      readonly id: number;
      readonly by: Accessor;
      readonly register: number;
      readonly before: bigint;
      readonly after: bigint;
    }
  | {
      readonly kind: 'memory';
      readonly id: number;
      readonly by: Accessor;
      readonly access: 'read' | 'written';
      /** Of the bytes that are told: all that are watched if they are 8 at most, else of those accessed. */
      readonly address: bigint;
      /** As long as `after`; undefined for a read. */
      readonly before: Uint8Array | undefined;
      readonly after: Uint8Array;
    };

interface Range {
  readonly address: bigint;
  /** Bytes */
  readonly length: number;
}

type MemoryWatch = Watch & { readonly kind: 'memory' };

/** Bytes watched whose whole value an event tells, and bytes that it tells of a longer range. */
const WHOLE = 8;
const MOST_TOLD = 16;
const NO_REQUESTS: readonly WatchRequest[] = [];
const NOTHING: readonly WatchEvent[] = [];

/**
 * Watchpoints on everything that can write: instructions, which the machine watches, and the kernel around them (helpers,
 * fix-ups), whose accesses are observed while it works. Without requests it costs nothing.
 */
export class Watching {
  private requests = NO_REQUESTS;
  /** By the machine's numbers. */
  private armed = new Map<number, WatchRequest>();
  private events: WatchEvent[] = [];

  constructor(private readonly machine: Machine) {}

  /** Looks out for exactly these from now on. The same array again is no work. */
  arm(requests: readonly WatchRequest[] = NO_REQUESTS): void {
    if (requests === this.requests) return;
    for (const number of this.armed.keys()) this.machine.removeWatch(number);
    this.armed = new Map(requests.map((request) => [this.machine.addWatch(request.watch), request]));
    this.requests = requests;
  }

  /** What was hit since this was asked last. */
  take(): readonly WatchEvent[] {
    if (this.events.length === 0) return NOTHING;
    const { events } = this;
    this.events = [];
    return events;
  }

  /** The machine has stopped at watchpoints. */
  stopped(stop: MachineStop & { readonly reason: 'watch' }): void {
    const by: Accessor = { kind: 'instruction', pc: stop.by };
    for (const number of stop.hits) {
      const request = this.armed.get(number);
      if (!request) continue;
      const { id, watch } = request;
      if (watch.kind === 'register') {
        const { register } = watch;
        const after = this.machine.getRegister(register);
        const before = stop.register?.before ?? after;
        this.events.push({ kind: 'register', id, by, register, before, after });
      } else if (stop.access) {
        const { access } = stop;
        const told = this.mapped(toldRange(watch, access.address, access.size)) ?? overlap(watch, access);
        const after = this.machine.memory.read(told.address, told.length);
        const isRead = watch.on === 'read';
        const before = isRead ? undefined : withBytes(after, told.address, access);
        this.events.push({
          kind: 'memory',
          id,
          by,
          access: isRead ? 'read' : 'written',
          address: told.address,
          before,
          after,
        });
      }
    }
  }

  private mapped(range: Range): Range | undefined {
    return this.machine.memory.tryRead(range.address, range.length) && range;
  }

  /** Lets the kernel work, and finds out which watchpoints it hits. */
  during<T>(by: Accessor, work: () => T): T {
    if (this.requests.length === 0) return work();
    const observed = this.requests.map((request) => new Observed(this.machine, request));
    this.machine.observe(observerOf(observed));
    try {
      return work();
    } finally {
      this.machine.observe(undefined);
      for (const one of observed) {
        const event = one.event(by);
        if (event) this.events.push(event);
      }
    }
  }
}

/** One watchpoint while the kernel works. */
class Observed {
  private readonly registerBefore: bigint = 0n;
  private readonly bytesBefore: Uint8Array | undefined;
  private touched = false;
  /** The watched bytes that were accessed, as offsets: [first, end). */
  private first = Infinity;
  private end = 0;

  constructor(
    private readonly machine: Machine,
    private readonly request: WatchRequest,
  ) {
    const { watch } = request;
    if (watch.kind === 'register') this.registerBefore = machine.getRegister(watch.register);
    else this.bytesBefore = machine.memory.tryRead(watch.address, watch.size);
  }

  register(index: number): void {
    const { watch } = this.request;
    if (watch.kind === 'register' && watch.register === index) this.touched = true;
  }

  access(kind: 'read' | 'written', address: bigint, length: number): void {
    const { watch } = this.request;
    if (watch.kind !== 'memory' || (watch.on === 'read') !== (kind === 'read')) return;
    const from = Math.max(Number(address - watch.address), 0);
    const end = Math.min(Number(address - watch.address) + length, watch.size);
    if (from >= end) return;
    this.first = Math.min(this.first, from);
    this.end = Math.max(this.end, end);
  }

  event(by: Accessor): WatchEvent | undefined {
    const { id, watch } = this.request;
    return watch.kind === 'register' ? this.registerEvent(id, by, watch) : this.memoryEvent(id, by, watch);
  }

  private registerEvent(
    id: number,
    by: Accessor,
    watch: Watch & { kind: 'register' },
  ): WatchEvent | undefined {
    const { register } = watch;
    const after = this.machine.getRegister(register);
    if (!this.touched || !becomes(watch, this.registerBefore, after)) return undefined;
    return { kind: 'register', id, by, register, before: this.registerBefore, after };
  }

  private memoryEvent(id: number, by: Accessor, watch: MemoryWatch): WatchEvent | undefined {
    if (this.first >= this.end) return undefined;
    const now = this.machine.memory.tryRead(watch.address, watch.size);
    if (!now) return undefined;
    const before = this.bytesBefore ?? new Uint8Array(watch.size);
    const changed = now.findIndex((byte, i) => byte !== before[i]);
    if (watch.on === 'changed' && changed < 0) return undefined;
    const from = watch.on !== 'read' && changed >= 0 ? changed : this.first;
    const told = toldRange(watch, watch.address + BigInt(from), Math.max(this.end - from, 1));
    const at = Number(told.address - watch.address);
    const isRead = watch.on === 'read';
    return {
      kind: 'memory',
      id,
      by,
      access: isRead ? 'read' : 'written',
      address: told.address,
      before: isRead ? undefined : before.slice(at, at + told.length),
      after: now.slice(at, at + told.length),
    };
  }
}

function observerOf(observed: readonly Observed[]): MachineObserver {
  return {
    register: (index) => observed.forEach((one) => one.register(index)),
    read: (address, length) => observed.forEach((one) => one.access('read', u64(address), length)),
    write: (address, length) => observed.forEach((one) => one.access('written', u64(address), length)),
  };
}

/** The watched bytes that an event tells of an access. */
function toldRange(watch: MemoryWatch, address: bigint, size: number): Range {
  if (watch.size <= WHOLE) return { address: watch.address, length: watch.size };
  return overlap(watch, { address, size });
}

/** The watched bytes of an access. */
function overlap(watch: MemoryWatch, access: { readonly address: bigint; readonly size: number }): Range {
  const from = access.address > watch.address ? access.address : watch.address;
  const end = access.address + BigInt(access.size);
  const watchedEnd = watch.address + BigInt(watch.size);
  const length = Number((end < watchedEnd ? end : watchedEnd) - from);
  return { address: from, length: Math.min(length, MOST_TOLD) };
}

/** The bytes at `address` as they were before the access. */
function withBytes(
  after: Uint8Array,
  address: bigint,
  access: { readonly address: bigint; readonly size: number; readonly before: bigint },
): Uint8Array {
  const before = after.slice();
  for (let i = 0; i < access.size; i++) {
    const at = Number(access.address - address) + i;
    if (at >= 0 && at < before.length) before[at] = Number((access.before >> BigInt(8 * i)) & 0xffn);
  }
  return before;
}
