import type { Arrival } from './arrivals';
import { arrivalText } from './sentences';
import type { BreakpointView, StopView } from './views';
import { eventText, writerView, type Names } from './watch-sentences';
import type { WatchEvent } from './watching';

/** The stop at breakpoints that were come to and watchpoints that were hit: what happened at each, a sentence each. */
export function breakpointStop(
  names: Names,
  hits: readonly BreakpointView[],
  arrivals: readonly Arrival[],
  watched: readonly WatchEvent[],
): StopView {
  const sentences: string[] = [];
  let by: StopView['by'];
  for (const event of watched) {
    const hit = hits.find(({ id }) => id === event.id);
    if (!hit) continue;
    const writer = writerView(names, event.by);
    by ??= writer.location;
    sentences.push(`Watchpoint ${hit.id}: ${eventText(event, writer)}.`);
  }
  const places = hits.filter((hit) => !watched.some(({ id }) => id === hit.id));
  const onEvent = places.some((hit) => hit.spec.kind === 'event');
  if (places.length > 0) {
    const which = places.map((hit) => `Breakpoint ${hit.id} (${hit.label})`).join(', ');
    const what = arrivals.map((arrival) => arrivalText(arrival, names.kernel)).join('; ');
    sentences.push(onEvent && what !== '' ? `${which}: ${what}.` : `${which}.`);
  }
  return {
    kind: by ? 'watch' : onEvent ? 'event' : 'breakpoint',
    text: sentences.join(' '),
    breakpoints: hits.map((hit) => hit.id),
    ...(by && { by }),
  };
}
