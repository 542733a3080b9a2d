import { firstAtLeast } from '../base/search';
import { INSN_BYTES } from '../bpf/bytes';
import type { BtfCoreRelo, BtfExt, BtfLineInfo } from '../btf/ext';

/** A stretch of a code section, in slots; `end` is the first slot behind it. */
export interface CodeRange {
  readonly start: number;
  readonly end: number;
}

/** What .BTF.ext says about code, by section name and place. */
export class CodeInfo {
  private readonly sections = new Map<string, Indexed>();

  constructor(private readonly ext: BtfExt) {}

  /** BTF id of the FUNC that begins at the slot, 0 when unknown. */
  functionType(section: string, slot: number): number {
    return this.of(section).functions.get(slot * INSN_BYTES) ?? 0;
  }

  /** Line information of the range, ascending. */
  lines(section: string, range: CodeRange): readonly BtfLineInfo[] {
    return within(this.of(section).lines, range);
  }

  /** The first CO-RE relocation of the range. */
  firstCoreRelo(section: string, range: CodeRange): BtfCoreRelo | undefined {
    const { coreRelos } = this.of(section);
    const first = coreRelos[firstAtLeast(coreRelos, range.start * INSN_BYTES, offsetOf)];
    return first && first.offset < range.end * INSN_BYTES ? first : undefined;
  }

  private of(name: string): Indexed {
    const known = this.sections.get(name);
    if (known) return known;
    const info = this.ext.get(name);
    const indexed: Indexed = {
      functions: new Map(info?.funcs.map((fn) => [fn.offset, fn.type])),
      lines: [...(info?.lines ?? [])].sort(byOffset),
      coreRelos: [...(info?.coreRelos ?? [])].sort(byOffset),
    };
    this.sections.set(name, indexed);
    return indexed;
  }
}

interface Indexed {
  readonly functions: ReadonlyMap<number, number>;
  readonly lines: readonly BtfLineInfo[];
  readonly coreRelos: readonly BtfCoreRelo[];
}

const offsetOf = (item: { readonly offset: number }): number => item.offset;
const byOffset = (a: { readonly offset: number }, b: { readonly offset: number }): number =>
  a.offset - b.offset;

function within<T extends { readonly offset: number }>(
  list: readonly T[],
  { start, end }: CodeRange,
): readonly T[] {
  return list.slice(
    firstAtLeast(list, start * INSN_BYTES, offsetOf),
    firstAtLeast(list, end * INSN_BYTES, offsetOf),
  );
}
