import { hex64 } from '../base/hex';
import { s64, u64 } from '../base/u64';
import type { Kernel, KernelEvent, KernelMap } from '../kernel/types';
import type { MachineStop } from '../machine/types';
import { helperProto } from '../xlate/verify/helper-protos';
import type { Arrival, TailCallArrival } from './arrivals';
import { leftText } from './registers';

/** What an arrival says to people, without a full stop: `tail call refused in sub, the count is used up (a6 = 0)`. */
export function arrivalText(arrival: Arrival, kernel: Kernel): string {
  switch (arrival.kind) {
    case 'tail-call-attempted':
      return `${arrival.code.fn.name} attempts a tail call to ${slotText(arrival, kernel)}`;
    case 'tail-call-taken': {
      const target = arrival.target?.fn.name ?? slotText(arrival, kernel);
      return `tail call taken from ${arrival.code.fn.name} to ${target}, ${leftText(arrival.a6)}`;
    }
    case 'tail-call-refused':
      return `tail call refused in ${arrival.code.fn.name}, ${refusalText(arrival, kernel)}`;
    case 'helper-call':
      return arrival.calledAs === undefined
        ? `call of ${arrival.name}`
        : `call of ${arrival.calledAs} (${arrival.name})`;
  }
}

const arrayOf = ({ array }: TailCallArrival, kernel: Kernel): KernelMap | undefined =>
  kernel.maps.find((map) => map.address === array);

function refusalText(arrival: TailCallArrival & { kind: 'tail-call-refused' }, kernel: Kernel): string {
  const { index, a6 } = arrival;
  const map = arrayOf(arrival, kernel);
  switch (arrival.reason) {
    case 'index': {
      const size = map ? `: ${map.name} has ${map.maxEntries} entries` : '';
      return `index ${index} is out of range${size}`;
    }
    case 'count':
      return `the count is used up (a6 = ${s64(a6)})`;
    case 'empty-slot':
      return `slot ${index} of ${map?.name ?? 'the prog array'} is empty`;
    case undefined:
      return 'for a reason that its tests do not show';
  }
}

const slotText = (arrival: TailCallArrival, kernel: Kernel): string =>
  `slot ${arrival.index} of ${arrayOf(arrival, kernel)?.name ?? 'an array at an unknown address'}`;

/** Why the machine cannot go on, one sentence. */
export function faultText(stop: MachineStop): string {
  switch (stop.reason) {
    case 'fault':
      return `Fault at ${hex64(stop.pc)}: ${stop.message}`;
    case 'ebreak':
      return `The code executed ebreak at ${hex64(stop.pc)}; JITed code has none.`;
    case 'ecall':
      return `The code executed ecall at ${hex64(stop.pc)}; JITed code has none.`;
    default:
      return `The machine stopped at ${hex64(stop.pc)}: ${stop.reason}.`;
  }
}

/** A line of the console for what happened in the kernel. */
export function kernelEventText(event: KernelEvent): string {
  switch (event.kind) {
    case 'helper': {
      const args = event.args.slice(0, helperProto(event.id)?.args.length);
      return `${event.name}(${args.map(valueText).join(', ')}) = ${valueText(event.result)}`;
    }
    case 'printk':
      return event.text;
    case 'output':
      return `${event.via === 'ringbuf' ? 'ring buffer' : 'perf event'} ${event.map}: ${event.data.length} bytes`;
    case 'redirect':
      return `redirect to interface ${event.ifindex}${event.flags === 0 ? '' : `, flags 0x${event.flags.toString(16)}`}`;
  }
}

/** Small numbers and errors in decimal, everything else in hex. */
export function valueText(value: bigint): string {
  const signed = s64(value);
  return signed > -4096n && signed < 65536n ? signed.toString() : hex64(u64(value));
}
