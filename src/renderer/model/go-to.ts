import type { FunctionView, ListingView } from '../../shared/views';
import { hexAddress, parseAddress } from './address';
import { matches } from './match';

/** Where "Go to" can go. */
export type Destination =
  | { readonly kind: 'function'; readonly key: string }
  | { readonly kind: 'native'; readonly key: string; readonly address: string }
  | { readonly kind: 'memory'; readonly address: bigint }
  | { readonly kind: 'slot'; readonly slot: number }
  | { readonly kind: 'line'; readonly row: number }
  | { readonly kind: 'cycle'; readonly cycle: number };

export interface GoToItem {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  readonly to: Destination;
}

/**
 * What a text may mean: an address (`0x…`), an offset in a function (`name+0x1c`), a line of the shown source or a slot
 * of the shown function (a plain number), a cycle (`cycle 120` or a plain number), or part of a function's name.
 */
export function destinations(
  text: string,
  functions: readonly FunctionView[],
  listing: ListingView | undefined,
): readonly GoToItem[] {
  const query = text.trim();
  const items: GoToItem[] = [];
  const address = /^0x/i.test(query) || /^f{4}[0-9a-f]{12}$/i.test(query) ? parseAddress(query) : undefined;
  if (address !== undefined) {
    const inside = functions.find((f) => contains(f, address));
    if (inside) {
      items.push({
        id: 'native',
        title: `Instruction at ${hexAddress(address)}`,
        note: `${inside.key}+0x${(address - BigInt(inside.address)).toString(16)}`,
        to: { kind: 'native', key: inside.key, address: hexAddress(address) },
      });
    }
    items.push({
      id: 'memory',
      title: `Memory at ${hexAddress(address)}`,
      note: 'Memory pane',
      to: { kind: 'memory', address },
    });
  }
  const offset = /^(.+)\+(?:0x)?([0-9a-f]+)$/i.exec(query);
  if (offset) {
    const by = BigInt(`0x${offset[2] ?? '0'}`);
    for (const f of functions.filter(({ key }) => matches(key, offset[1] ?? ''))) {
      if (by >= BigInt(f.size)) continue;
      const at = hexAddress(BigInt(f.address) + by);
      items.push({
        id: `offset-${f.key}`,
        title: `${f.key}+0x${by.toString(16)}`,
        note: at,
        to: { kind: 'native', key: f.key, address: at },
      });
    }
  }
  if (/^\d+$/.test(query) && listing) {
    const number = Number(query);
    const row = listing.source.findIndex(({ line }) => line === number);
    if (row >= 0) {
      items.push({
        id: 'line',
        title: `Line ${number}`,
        note: listing.source[row]?.file ?? '',
        to: { kind: 'line', row },
      });
    }
    if (listing.bpf.some(({ slot }) => slot === number)) {
      items.push({
        id: 'slot',
        title: `BPF instruction ${number}`,
        note: listing.function.key,
        to: { kind: 'slot', slot: number },
      });
    }
  }
  const cycle = /^(?:cycle\s*)?(\d{1,15})$/i.exec(query)?.[1];
  if (cycle !== undefined && listing) {
    items.push({
      id: 'cycle',
      title: `Run to cycle ${Number(cycle)}`,
      note: 'Forwards, or back in time',
      to: { kind: 'cycle', cycle: Number(cycle) },
    });
  }
  for (const f of functions) {
    if (!matches(`${f.key} ${f.kind}`, query)) continue;
    items.push({
      id: `function-${f.key}`,
      title: f.key,
      note: `${f.kind} · ${f.address} · ${f.size} bytes`,
      to: { kind: 'function', key: f.key },
    });
  }
  return items;
}

function contains(f: FunctionView, address: bigint): boolean {
  const start = BigInt(f.address);
  return address >= start && address < start + BigInt(f.size);
}
