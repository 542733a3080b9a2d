import { sameBytes } from '../base/bytes';
import type { KernelEvent } from './types';

/** Events kept of one run, of helper calls and of everything else: a program may loop through helpers millions of times. */
export const EVENT_LIMIT = 100_000;
/** Bytes of what a run prints and sends after which nothing more of it is kept. */
export const PAYLOAD_LIMIT = 32 * 2 ** 20;

export interface EventLogState {
  /** Shared with the log, which only ever appends to it. */
  readonly kept: KernelEvent[];
  readonly length: number;
  readonly helpers: number;
  readonly payload: number;
  readonly dropped: number;
}

/**
 * What happened in a run, in order. Helper calls have a limit of their own, so that they do not crowd out what a program prints
 * and sends.
 *
 * One list serves the log and every state saved of it; each stands at a length of its own. Going back shortens the length alone:
 * what happens again then is what stands there already, so trips through the past keep nothing more alive. Only a run that
 * takes another turn gets a list of its own.
 */
export class EventLog {
  private kept: KernelEvent[] = [];
  private length = 0;
  private helpers = 0;
  private payload = 0;
  private droppedCount = 0;

  get count(): number {
    return this.length;
  }

  /** The events from number `from` on. */
  since(from: number): readonly KernelEvent[] {
    return this.kept.slice(from, this.length);
  }

  get dropped(): number {
    return this.droppedCount;
  }

  /** Whether no further helper call is kept. */
  get helpersFull(): boolean {
    return this.helpers >= EVENT_LIMIT;
  }

  /** Counts an event that is not kept. */
  drop(): undefined {
    this.droppedCount++;
    return undefined;
  }

  add(event: KernelEvent): KernelEvent {
    const isHelper = event.kind === 'helper';
    const before = isHelper ? this.helpers : this.length - this.helpers;
    const bytes = payloadOf(event);
    if (before >= EVENT_LIMIT || (bytes > 0 && this.payload >= PAYLOAD_LIMIT)) {
      this.droppedCount++;
      return event;
    }
    if (isHelper) this.helpers++;
    this.payload += bytes;
    const known = this.kept[this.length];
    if (!known || !sameEvent(known, event)) {
      // What another state of the log may stand on stays as it is.
      if (known) this.kept = this.kept.slice(0, this.length);
      this.kept.push(event);
    }
    this.length++;
    return event;
  }

  clear(): void {
    this.load({ kept: [], length: 0, helpers: 0, payload: 0, dropped: 0 });
  }

  save(): EventLogState {
    const { kept, length, helpers, payload, droppedCount: dropped } = this;
    return { kept, length, helpers, payload, dropped };
  }

  load(state: EventLogState): void {
    this.kept = state.kept;
    this.length = state.length;
    this.helpers = state.helpers;
    this.payload = state.payload;
    this.droppedCount = state.dropped;
  }
}

/** Bytes of what a program printed or sent. */
function payloadOf(event: KernelEvent): number {
  if (event.kind === 'printk') return event.text.length;
  return event.kind === 'output' ? event.data.length : 0;
}

function sameEvent(a: KernelEvent, b: KernelEvent): boolean {
  if (a.step !== b.step) return false;
  switch (a.kind) {
    case 'helper':
      return (
        b.kind === 'helper' &&
        a.pc === b.pc &&
        a.id === b.id &&
        a.name === b.name &&
        a.result === b.result &&
        a.args.length === b.args.length &&
        a.args.every((arg, i) => arg === b.args[i])
      );
    case 'printk':
      return b.kind === 'printk' && a.text === b.text;
    case 'output':
      return b.kind === 'output' && a.via === b.via && a.map === b.map && sameBytes(a.data, b.data);
    case 'redirect':
      return b.kind === 'redirect' && a.ifindex === b.ifindex && a.flags === b.flags;
  }
}
