import type { KernelEvent } from './types';

/** Events kept of one run; a program may loop through helpers millions of times. */
export const EVENT_LIMIT = 100_000;

export interface EventLogState {
  readonly kept: readonly KernelEvent[];
  readonly length: number;
  readonly dropped: number;
}

/** What happened in a run, in order. A list is only ever appended to or replaced, so a snapshot needs its length alone. */
export class EventLog {
  private kept: KernelEvent[] = [];
  private droppedCount = 0;

  get events(): readonly KernelEvent[] {
    return this.kept;
  }

  get dropped(): number {
    return this.droppedCount;
  }

  add(event: KernelEvent): KernelEvent {
    if (this.kept.length < EVENT_LIMIT) this.kept.push(event);
    else this.droppedCount++;
    return event;
  }

  clear(): void {
    this.kept = [];
    this.droppedCount = 0;
  }

  save(): EventLogState {
    return { kept: this.kept, length: this.kept.length, dropped: this.droppedCount };
  }

  load(state: EventLogState): void {
    // Later events are cut off a copy: another snapshot may stand on the longer list.
    this.kept = state.kept.slice(0, state.length);
    this.droppedCount = state.dropped;
  }
}
