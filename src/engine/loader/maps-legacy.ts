import { EngineError } from '../base/errors';
import { readerOf } from '../elf/read';
import { SYMBOL_TYPE } from '../elf/types';
import { adjustedEntries } from './map-types';
import type { BpfMapDef } from './object';
import { symbolsOf, type ObjectSections } from './sections';

/** A map and the place of its definition in a section. */
export interface PlacedMap {
  readonly def: BpfMapDef;
  /** ELF section index. */
  readonly section: number;
  /** Bytes from the start of the section. */
  readonly offset: number;
}

/** Bytes of struct bpf_map_def: type, key size, value size, entries, flags. */
const DEF_BYTES = 20;

/**
 * The maps of a `maps` section, as they were defined before BTF (and as libbpf loaded them up to 0.8): one struct bpf_map_def for each
 * symbol. Older definitions may be shorter, longer ones must have nothing but zeros behind what we know.
 * @throws EngineError `loader/map`
 */
export function legacyMaps(object: ObjectSections): PlacedMap[] {
  const section = object.legacyMaps;
  if (!section) return [];
  const symbols = symbolsOf(object, section)
    .filter((symbol) => symbol.type !== SYMBOL_TYPE.SECTION)
    .sort((a, b) => Number(a.value - b.value));
  const size = section.size / symbols.length;
  if (symbols.length === 0 || !Number.isInteger(size) || size < 4) {
    throw new EngineError(
      'loader/map',
      `Section maps of ${object.name} has ${section.size} bytes for ${symbols.length} map definitions, which is no whole number of bytes each; the object is damaged.`,
      {
        size: section.size,
        maps: symbols.length,
      },
    );
  }
  const reader = readerOf(section);
  return symbols.map(({ name, value }) => {
    const offset = Number(value);
    reader.check(offset, size, `The definition of map ${name}`);
    const field = (index: number): number =>
      4 * index + 4 <= size ? reader.u32(offset + 4 * index, `The definition of map ${name}`) : 0;
    const rest =
      size > DEF_BYTES ? section.bytes.subarray(offset + DEF_BYTES, offset + size) : new Uint8Array();
    if (rest.some((byte) => byte !== 0)) {
      throw new EngineError(
        'loader/map',
        `Map ${name} of ${object.name} has a definition of ${size} bytes with fields that are unknown here; define the map in BTF (SEC(".maps")).`,
        {
          map: name,
          size,
        },
      );
    }
    const type = field(0);
    return {
      section: section.index,
      offset,
      def: {
        name,
        type,
        keySize: field(1),
        valueSize: field(2),
        maxEntries: adjustedEntries(type, field(3)),
        flags: field(4),
        origin: 'legacy' as const,
      },
    };
  });
}
