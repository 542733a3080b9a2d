import type { LocationView, OutputView } from './views';

/** A line of the console before it is read: what is dear to make is made when someone looks. */
export interface LogEntry {
  readonly kind: OutputView['kind'];
  readonly text: string | (() => string);
  /** Instructions executed when it happened. */
  readonly at: number;
  /** Address of the BPF code that it belongs to. */
  readonly pc?: bigint;
}

/** Lines kept; older ones are dropped, their numbers stay used. */
const CAPACITY = 20_000;

/** The console: trace_printk output, tail calls, helper calls and remarks of the session, numbered from 0. */
export class EventLog {
  private entries: LogEntry[] = [];
  private dropped = 0;
  private lost = 0;

  /** Number of the next line. */
  get length(): number {
    return this.dropped + this.entries.length;
  }

  add(entry: LogEntry): void {
    this.entries.push(entry);
    if (this.entries.length < 2 * CAPACITY) return;
    this.lost += this.entries.slice(0, CAPACITY).filter(({ kind }) => kind !== 'printk').length;
    this.entries = this.entries.slice(CAPACITY);
    this.dropped += CAPACITY;
  }

  /** Lines that are not kept any more, but for those of trace_printk, which the kernel keeps, too. */
  get lostEvents(): number {
    return this.lost;
  }

  /** The lines from number `from` on, as far as they are kept. */
  since(from: number, locate: (pc: bigint) => LocationView): OutputView[] {
    const first = Math.max(0, from - this.dropped);
    return this.entries.slice(first).map(({ kind, text, at, pc }, i) => ({
      index: this.dropped + first + i,
      kind,
      text: typeof text === 'string' ? text : text(),
      at,
      ...(pc !== undefined && { location: locate(pc) }),
    }));
  }

  /** Forgets the lines from number `length` on: the session has gone back in time. */
  truncate(length: number): void {
    this.entries.length = Math.max(0, Math.min(this.entries.length, length - this.dropped));
  }
}
