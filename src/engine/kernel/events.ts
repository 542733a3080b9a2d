import type { KernelEvent } from './types';

/** Events kept of one run, of helper calls and of everything else: a program may loop through helpers millions of times. */
export const EVENT_LIMIT = 100_000;

export interface EventLogState {
  /** Only ever appended to. */
  readonly kept: KernelEvent[];
  readonly length: number;
  readonly helpers: number;
  readonly dropped: number;
}

/**
 * What happened in a run, in order. The list is only ever appended to or replaced, so a snapshot needs its length alone.
 * Helper calls have a limit of their own, so that they do not crowd out what a program prints and sends.
 */
export class EventLog {
  private kept: KernelEvent[] = [];
  private helpers = 0;
  private droppedCount = 0;

  get events(): readonly KernelEvent[] {
    return this.kept;
  }

  get dropped(): number {
    return this.droppedCount;
  }

  add(event: KernelEvent): KernelEvent {
    const isHelper = event.kind === 'helper';
    const before = isHelper ? this.helpers : this.kept.length - this.helpers;
    if (before >= EVENT_LIMIT) {
      this.droppedCount++;
      return event;
    }
    if (isHelper) this.helpers++;
    this.kept.push(event);
    return event;
  }

  clear(): void {
    this.kept = [];
    this.helpers = 0;
    this.droppedCount = 0;
  }

  save(): EventLogState {
    return { kept: this.kept, length: this.kept.length, helpers: this.helpers, dropped: this.droppedCount };
  }

  load(state: EventLogState): void {
    // Later events are cut off a copy: another snapshot may stand on the longer list. Where there are none (a full log takes no
    // more), the list is shared.
    this.kept = state.length === state.kept.length ? state.kept : state.kept.slice(0, state.length);
    this.helpers = state.helpers;
    this.droppedCount = state.dropped;
  }
}
