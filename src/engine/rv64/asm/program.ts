import { s64 } from '../../base/u64';
import { failAt } from './error';
import type { Scope, Value } from './expression';
import type { Item } from './items';

/** Larger programs are refused: a slip such as `.zero 1 << 40` must not exhaust memory. */
const MAX_BYTES = 1 << 26;

/** A symbol is a place in the program, or an expression given by `.set` at such a place. */
interface SymbolDefinition {
  readonly mark: number;
  readonly value?: Value;
}

/** The assembled program while it grows: items and symbols, and the places that a layout gives them. */
export class Program {
  readonly items: Item[] = [];
  private readonly symbols = new Map<string, SymbolDefinition>();
  /** Item indices of each numeric label, ascending. */
  private readonly numeric = new Map<string, number[]>();
  private addresses: readonly bigint[] = [];
  private readonly evaluating = new Set<string>();

  constructor(
    private readonly base: bigint,
    private readonly external: ReadonlyMap<string, bigint>,
  ) {}

  add(item: Item): void {
    this.items.push(item);
  }

  private mark(line: number): number {
    this.items.push({ kind: 'mark', line, size: 0 });
    return this.items.length - 1;
  }

  defineLabel(name: string, line: number): void {
    const mark = this.mark(line);
    if (/^\d/.test(name)) this.numeric.set(name, [...(this.numeric.get(name) ?? []), mark]);
    else this.define(name, { mark }, line);
  }

  defineValue(name: string, value: Value, line: number): void {
    this.define(name, { mark: this.mark(line), value }, line);
  }

  private define(name: string, definition: SymbolDefinition, line: number): void {
    if (this.symbols.has(name) || this.external.has(name)) failAt(line, `'${name}' is defined twice`);
    this.symbols.set(name, definition);
  }

  /** The value of an expression that must not depend on the layout. */
  constant(value: Value, line: number): bigint {
    return value({
      get here(): bigint {
        return failAt(line, "'.' is not known before the program is laid out; a constant is needed here");
      },
      lookup: (name) => this.constantSymbol(name, line),
    });
  }

  private constantSymbol(name: string, line: number): bigint | undefined {
    const external = this.external.get(name);
    if (external !== undefined) return s64(external);
    const definition = this.symbols.get(name);
    if (definition?.value === undefined) {
      if (definition === undefined && !/^\d/.test(name)) return undefined;
      failAt(line, `'${name}' is an address; a constant is needed here`);
    }
    const { value } = definition;
    return this.guarded(name, line, () => this.constant(value, line));
  }

  private guarded(name: string, line: number, evaluate: () => bigint): bigint {
    if (this.evaluating.has(name)) failAt(line, `'${name}' is defined by itself`);
    this.evaluating.add(name);
    try {
      return evaluate();
    } finally {
      this.evaluating.delete(name);
    }
  }

  /** Gives every item its address, following the current sizes; alignments are computed. Returns the program's bytes. */
  place(): number {
    const addresses: bigint[] = [];
    let offset = 0;
    for (const item of this.items) {
      const address = s64(this.base + BigInt(offset));
      addresses.push(address);
      if (item.kind === 'align') {
        item.size = Number(BigInt.asUintN(64, -address) % BigInt(item.alignment));
      }
      offset += item.size;
      if (offset > MAX_BYTES) failAt(item.line, `the program is longer than ${MAX_BYTES} bytes here`);
    }
    this.addresses = addresses;
    return offset;
  }

  /** Address of an item, signed 64-bit; only after place(). */
  addressOf(index: number): bigint {
    return this.addresses[index]!;
  }

  /** What the expressions of an item may refer to; only after place(). */
  scopeOf(index: number): Scope {
    return { here: this.addressOf(index), lookup: (name) => this.lookup(name, index) };
  }

  private lookup(name: string, index: number): bigint | undefined {
    if (/^\d+[fb]$/.test(name)) {
      const marks = this.numeric.get(name.slice(0, -1)) ?? [];
      const mark = name.endsWith('b')
        ? marks.findLast((candidate) => candidate <= index)
        : marks.find((candidate) => candidate > index);
      return mark === undefined ? undefined : this.addressOf(mark);
    }
    const external = this.external.get(name);
    if (external !== undefined) return s64(external);
    const definition = this.symbols.get(name);
    if (definition === undefined) return undefined;
    const { mark, value } = definition;
    if (value === undefined) return this.addressOf(mark);
    return this.guarded(name, this.items[mark]!.line, () => value(this.scopeOf(mark)));
  }

  /** Names and addresses of all labels but the numeric ones; only after place(). */
  labels(): Map<string, bigint> {
    const labels = new Map<string, bigint>();
    for (const [name, { mark, value }] of this.symbols) {
      if (value === undefined) labels.set(name, BigInt.asUintN(64, this.addressOf(mark)));
    }
    return labels;
  }
}
