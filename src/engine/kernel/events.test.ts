import { describe, expect, it } from 'vitest';
import { EVENT_LIMIT, EventLog, PAYLOAD_LIMIT } from './events';
import type { KernelEvent } from './types';

const helper = (step: number, result = 0n): KernelEvent => ({
  kind: 'helper',
  step: BigInt(step),
  pc: 0xffffffff01234568n,
  id: 5,
  name: 'bpf_ktime_get_ns',
  args: [1n, 2n, 3n, 4n, 5n],
  result,
});
const printk = (step: number, text: string): KernelEvent => ({ kind: 'printk', step: BigInt(step), text });
const output = (step: number, data: Uint8Array): KernelEvent => ({
  kind: 'output',
  step: BigInt(step),
  via: 'ringbuf',
  map: 'm',
  data,
});
const redirect = (step: number): KernelEvent => ({
  kind: 'redirect',
  step: BigInt(step),
  ifindex: 3,
  flags: 0,
});

/** One of each kind, made anew at each call. */
const all = (): KernelEvent[] => [
  helper(1),
  printk(2, 'two'),
  output(3, Uint8Array.of(1, 2, 3)),
  redirect(4),
];

describe('the event log', () => {
  it('goes back and forth on one list: what happens again keeps nothing more alive', () => {
    const log = new EventLog();
    const start = log.save();
    const first = all();
    for (const event of first) log.add(event);
    const end = log.save();
    expect(end.kept).toBe(start.kept);
    for (let trip = 0; trip < 3; trip++) {
      log.load(start);
      expect(log.count).toBe(0);
      expect(log.since(0)).toEqual([]);
      for (const event of all()) log.add(event);
      expect(log.save().kept).toBe(start.kept);
      expect(log.since(0).map((event, i) => event === first[i])).toEqual([true, true, true, true]);
    }
    expect(log.save()).toEqual(end);
    expect(log.since(2)).toEqual(first.slice(2));
  });

  it.each<[string, number, KernelEvent]>([
    ['another step', 0, helper(9)],
    ['another result', 0, helper(1, 7n)],
    ['another kind', 0, printk(1, 'one')],
    ['another text', 1, printk(2, 'zwei')],
    ['other bytes', 2, output(3, Uint8Array.of(1, 2, 4))],
    ['fewer bytes', 2, output(3, Uint8Array.of(1, 2))],
    ['another interface', 3, { kind: 'redirect', step: 4n, ifindex: 4, flags: 0 }],
  ])('that takes another turn (%s) leaves the saved states as they are', (_, at, event) => {
    const log = new EventLog();
    for (const known of all().slice(0, at)) log.add(known);
    const fork = log.save();
    for (const known of all().slice(at)) log.add(known);
    const end = log.save();
    log.load(fork);
    log.add(event);
    expect(log.since(0)).toEqual([...all().slice(0, at), event]);
    log.load(end);
    expect(log.since(0)).toEqual(all());
  });

  it('keeps a bounded number of helper calls, and what a program prints beside them', () => {
    const log = new EventLog();
    for (let i = 0; i < EVENT_LIMIT + 3; i++) log.add(helper(i));
    log.add(printk(EVENT_LIMIT + 3, 'still heard'));
    expect(log.count).toBe(EVENT_LIMIT + 1);
    expect(log.dropped).toBe(3);
    const full = log.save();
    log.add(helper(EVENT_LIMIT + 4));
    expect(log.save().kept).toBe(full.kept);
    log.load(full);
    expect(log.dropped).toBe(3);
  });

  it('keeps a bounded number of bytes of what a program sends, and helper calls beside them', () => {
    const log = new EventLog();
    const half = new Uint8Array(PAYLOAD_LIMIT / 2);
    for (let i = 0; i < 4; i++) log.add(output(i, half));
    log.add(helper(4));
    log.add(redirect(5));
    expect(log.since(0).map(({ step }) => Number(step))).toEqual([0, 1, 4, 5]);
    expect(log.dropped).toBe(2);
    log.clear();
    log.add(output(6, half));
    expect([log.count, log.dropped]).toEqual([1, 0]);
  });
});
