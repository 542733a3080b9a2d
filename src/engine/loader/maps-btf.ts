import { EngineError } from '../base/errors';
import { findType, resolveType, sizeOf, skipQualifiers, typeOf } from '../btf/resolve';
import type { Btf, BtfType } from '../btf/types';
import { SYMBOL_TYPE } from '../elf/types';
import { lastAtMost } from '../base/search';
import { adjustedEntries, isMapInMap, MAP_TYPE } from './map-types';
import type { PlacedMap } from './maps-legacy';
import type { BpfMapDef } from './object';
import { relocationsOf, symbolsOf, type ObjectSections } from './sections';

/** BTF_VAR_GLOBAL_ALLOCATED */
const GLOBAL = 1;

/** A map definition while its slots are still unknown, with the place of its `values` member. */
interface Parsed extends PlacedMap {
  /** Bytes of the variable. */
  readonly size: number;
  /** Bytes from the start of the variable to `values`; undefined without one. */
  readonly valuesAt?: number;
}

/**
 * The maps that BTF describes in `.maps` (bpf_object__init_user_btf_maps): `__uint`, `__type`, `__array(values, …)` members,
 * slots of prog arrays and maps in maps from the section's relocations. In the order of their places.
 * @throws EngineError `loader/map` that names map and member
 */
export function btfMaps(object: ObjectSections): PlacedMap[] {
  const { btf, btfMaps: section } = object;
  if (!section) return [];
  const datasec = btf && findType(btf, 'datasec', '.maps');
  if (!btf || !datasec) {
    throw new EngineError(
      'loader/map',
      `${object.name} has a .maps section but no BTF that describes it; compile it with clang -g.`,
    );
  }
  const symbols = new Map(symbolsOf(object, section).map((symbol) => [symbol.name, symbol]));
  const maps = (datasec.vars ?? []).map((entry): Parsed => {
    const variable = typeOf(btf, entry.type);
    const name = variable?.name ?? '';
    if (variable?.kind !== 'var' || name === '')
      throw refuse(object, `#${entry.type}`, 'is no variable in the BTF');
    if (variable.linkage !== GLOBAL)
      throw refuse(object, name, 'is static; make it global, as libbpf demands');
    const symbol = symbols.get(name);
    if (!symbol) throw refuse(object, name, 'has no symbol in section .maps');
    const offset = Number(symbol.value);
    const parsed = parseDefinition(object, btf, name, variable.type ?? 0, true);
    // A flexible array member's elements are in the symbol's size, not in the struct's.
    const size = Math.max(sizeOf(btf, variable.type ?? 0) ?? 0, Number(symbol.size));
    if (offset + size > section.size) throw refuse(object, name, 'lies outside of section .maps');
    return { def: parsed.def, valuesAt: parsed.valuesAt, section: section.index, offset, size };
  });
  maps.sort((a, b) => a.offset - b.offset);
  const slots = collectSlots(object, maps);
  return maps.map(({ def, section: index, offset }) => {
    const own = slots.get(def.name);
    return { def: own ? { ...def, slots: own } : def, section: index, offset };
  });
}

function refuse(object: ObjectSections, map: string, why: string): EngineError {
  return new EngineError('loader/map', `Map ${map} of ${object.name} ${why}.`, { map });
}

/** The members of a definition as they are found. */
interface Draft {
  type: number;
  keySize?: number;
  valueSize?: number;
  maxEntries: number;
  flags: number;
  keyBtfId?: number;
  valueBtfId?: number;
  pinning?: number;
  extra?: bigint;
  inner?: BpfMapDef;
  valuesAt?: number;
}

function parseDefinition(
  object: ObjectSections,
  btf: Btf,
  name: string,
  typeId: number,
  outer: boolean,
): { def: BpfMapDef; valuesAt?: number } {
  const struct = resolveType(btf, typeId);
  if (struct?.kind !== 'struct') throw refuse(object, name, 'is not defined by a struct');
  const draft: Draft = { type: 0, maxEntries: 0, flags: 0 };
  const members = struct.members ?? [];
  const seen = new Set<string>();
  members.forEach((member, i) => {
    const wrong = (why: string): EngineError =>
      refuse(object, name, `has a member ${member.name} that ${why}`);
    if (seen.has(member.name)) throw wrong('is there twice');
    seen.add(member.name);
    const number = (): number => {
      const value = memberNumber(btf, member.type);
      if (value === undefined || value > 0xffff_ffffn) throw wrong('holds no number (write it with __uint)');
      return Number(value);
    };
    switch (member.name) {
      case 'type':
        draft.type = number();
        break;
      case 'max_entries':
        draft.maxEntries = number();
        break;
      case 'map_flags':
        draft.flags = number();
        break;
      case 'numa_node':
        number();
        break;
      case 'pinning':
        draft.pinning = number();
        if (!outer || draft.pinning > 1)
          throw wrong(outer ? `has the unknown value ${draft.pinning}` : 'an inner map may not have');
        break;
      case 'map_extra':
        draft.extra = memberNumber(btf, member.type);
        if (draft.extra === undefined) throw wrong('holds no number (write it with __uint or __ulong)');
        break;
      case 'key_size':
        draft.keySize = agreed(draft.keySize, number(), wrong);
        break;
      case 'value_size':
        draft.valueSize = agreed(draft.valueSize, number(), wrong);
        break;
      case 'key':
        draft.keyBtfId = pointedType(btf, member.type, wrong);
        draft.keySize = agreed(draft.keySize, typeSize(btf, draft.keyBtfId, wrong), wrong);
        break;
      case 'value':
        draft.valueBtfId = pointedType(btf, member.type, wrong);
        draft.valueSize = agreed(draft.valueSize, typeSize(btf, draft.valueBtfId, wrong), wrong);
        break;
      case 'values':
        if (!outer) throw wrong('an inner map may not have (maps nest one level deep)');
        if (i !== members.length - 1) throw wrong('must be the last one');
        draft.valuesAt = member.bitOffset / 8;
        draft.inner = valuesOf(object, btf, name, draft.type, member.type, wrong);
        draft.valueSize = agreed(draft.valueSize, 4, wrong);
        break;
      default:
        throw wrong(
          'is unknown; map definitions have type, key, value, max_entries, map_flags, values, pinning and so on',
        );
    }
  });
  return { def: definition(name, draft), valuesAt: draft.valuesAt };
}

function definition(name: string, draft: Draft): BpfMapDef {
  const { keyBtfId, valueBtfId, inner, pinning, extra } = draft;
  return {
    name,
    type: draft.type,
    keySize: draft.keySize ?? 0,
    valueSize: draft.valueSize ?? 0,
    maxEntries: adjustedEntries(draft.type, draft.maxEntries),
    flags: draft.flags,
    ...(keyBtfId === undefined ? {} : { keyBtfId }),
    ...(valueBtfId === undefined ? {} : { valueBtfId }),
    ...(inner === undefined ? {} : { inner }),
    ...(pinning === undefined ? {} : { pinning }),
    ...(extra === undefined ? {} : { extra }),
    origin: 'btf',
  };
}

type Wrong = (why: string) => EngineError;

function agreed(known: number | undefined, size: number, wrong: Wrong): number {
  if (known !== undefined && known !== size)
    throw wrong(`makes it ${size} bytes, but another member ${known}`);
  return size;
}

/** The number in `int (*name)[N]` (__uint) or in the enum of __ulong. */
function memberNumber(btf: Btf, id: number): bigint | undefined {
  const pointer = skipQualifiers(btf, id);
  const target = pointer?.kind === 'ptr' ? resolveType(btf, pointer.type) : undefined;
  if (target?.kind === 'array') return BigInt(target.array?.length ?? 0);
  if ((target?.kind === 'enum' || target?.kind === 'enum64') && target.values?.length === 1)
    return target.values[0]?.value;
  return undefined;
}

/** The type in `T *name` (__type). */
function pointedType(btf: Btf, id: number, wrong: Wrong): number {
  const pointer = skipQualifiers(btf, id);
  if (pointer?.kind !== 'ptr') throw wrong('is no pointer to a type (write it with __type)');
  return pointer.type ?? 0;
}

function typeSize(btf: Btf, id: number, wrong: Wrong): number {
  const size = sizeOf(btf, id);
  if (size === undefined || size > 0xffff_ffff) throw wrong('has a type without a size');
  return size;
}

/** `T *values[]` (__array): a function for prog arrays, a map definition for maps in maps, which it gives. */
function valuesOf(
  object: ObjectSections,
  btf: Btf,
  name: string,
  type: number,
  id: number,
  wrong: Wrong,
): BpfMapDef | undefined {
  const array: BtfType | undefined = resolveType(btf, id);
  if (array?.kind !== 'array' || array.array?.length !== 0)
    throw wrong('is no array without a length (write it with __array)');
  const pointer = resolveType(btf, array.array.type);
  if (pointer?.kind !== 'ptr') throw wrong('is no array of pointers (write it with __array)');
  if (type === MAP_TYPE.PROG_ARRAY) {
    if (resolveType(btf, pointer.type)?.kind !== 'func_proto')
      throw wrong('of a prog array must point to functions');
    return undefined;
  }
  if (!isMapInMap(type)) throw wrong('only prog arrays and maps in maps may have (give the type first)');
  return parseDefinition(object, btf, `${name}.inner`, pointer.type ?? 0, false).def;
}

/** Slots from the relocations of `.maps`, by map (bpf_object__collect_map_relos). */
function collectSlots(
  object: ObjectSections,
  maps: readonly Parsed[],
): Map<string, { index: number; target: string }[]> {
  const slots = new Map<string, { index: number; target: string }[]>();
  const section = object.btfMaps;
  if (!section) return slots;
  const mapNames = new Set(maps.map((map) => map.def.name));
  for (const { offset, symbol } of relocationsOf(object, section)) {
    const map = lastAtMost(maps, offset, (placed) => placed.offset);
    if (!map || offset + 8 > map.offset + map.size) {
      throw refuse(
        object,
        `at byte ${offset} of .maps`,
        'has an initial value, but no map is there; the object is damaged',
      );
    }
    const at = offset - map.offset - (map.valuesAt ?? 0);
    if (map.valuesAt === undefined || at < 0 || at % 8 !== 0) {
      throw refuse(
        object,
        map.def.name,
        `has an initial value (${symbol.name}) at byte ${offset - map.offset}, outside of its values`,
      );
    }
    if (
      isMapInMap(map.def.type) ? !mapNames.has(symbol.name) : !isProgram(object, symbol.section, symbol.type)
    ) {
      throw refuse(
        object,
        map.def.name,
        `has ${symbol.name === '' ? 'a symbol without name' : symbol.name} in slot ${at / 8}, which is no ${isMapInMap(map.def.type) ? 'map' : 'program'} of the object`,
      );
    }
    const own = slots.get(map.def.name) ?? [];
    own.push({ index: at / 8, target: symbol.name });
    slots.set(map.def.name, own);
  }
  for (const own of slots.values()) own.sort((a, b) => a.index - b.index);
  return slots;
}

/** Entry programs are functions in executable sections other than `.text`. */
function isProgram(object: ObjectSections, section: number, type: number): boolean {
  return (
    type === SYMBOL_TYPE.FUNC &&
    section !== object.text?.index &&
    object.code.some((code) => code.index === section)
  );
}
