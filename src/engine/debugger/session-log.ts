import type { Kernel, KernelEvent } from '../kernel/types';
import type { Arrival } from './arrivals';
import type { EventLog } from './event-log';
import type { ExecutionListener } from './execution';
import { arrivalText, kernelEventText } from './sentences';

/** What decides about lines of the console. */
export interface LogSource {
  readonly kernel: Kernel;
  readonly log: EventLog;
  /** Instructions executed so far. */
  instructions(): number;
  /** False while the past is replayed: what happens then has been told when it happened first. */
  isNews(): boolean;
}

/** Writes what happens in a run to the console: tail calls with their outcome, helper calls, printk and other output. */
export class SessionLog implements ExecutionListener {
  constructor(private readonly source: LogSource) {}

  arrival(arrival: Arrival): void {
    const { kernel, log } = this.source;
    if (arrival.kind === 'helper-call' || arrival.kind === 'tail-call-attempted' || !this.source.isNews())
      return;
    log.add({
      kind: 'tail-call',
      text: () => arrivalText(arrival, kernel),
      at: this.source.instructions(),
      pc: arrival.site.start,
    });
  }

  kernelEvent(event: KernelEvent, site: bigint | undefined): void {
    if (!this.source.isNews()) return;
    this.source.log.add({
      kind: event.kind === 'redirect' ? 'info' : event.kind,
      text: () => kernelEventText(event),
      at: Number(event.step),
      ...(site !== undefined && { pc: site }),
    });
  }
}
