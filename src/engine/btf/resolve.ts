import type { Btf, BtfKind, BtfType } from './types';

/** Steps through references before a chain counts as a cycle. Real types stay far below. */
const CHAIN_LIMIT = 64;
/** Bytes of a pointer on a 64-bit kernel. */
const POINTER_BYTES = 8;

const TRANSPARENT: ReadonlySet<BtfKind> = new Set(['typedef', 'volatile', 'const', 'restrict', 'type_tag']);
const QUALIFIERS: ReadonlySet<BtfKind> = new Set(['volatile', 'const', 'restrict', 'type_tag']);

/** The type with this id; undefined when there is none. */
export function typeOf(btf: Btf, id: number | undefined): BtfType | undefined {
  return id === undefined ? undefined : btf.types[id];
}

/** The type behind typedefs and qualifiers; undefined when an id does not exist or the chain has no end. */
export function resolveType(btf: Btf, id: number | undefined): BtfType | undefined {
  return skip(btf, id, TRANSPARENT);
}

/** The type behind const, volatile, restrict and type tags, typedefs kept; undefined as in {@link resolveType}. */
export function skipQualifiers(btf: Btf, id: number | undefined): BtfType | undefined {
  return skip(btf, id, QUALIFIERS);
}

function skip(btf: Btf, id: number | undefined, kinds: ReadonlySet<BtfKind>): BtfType | undefined {
  let type = typeOf(btf, id);
  for (let i = 0; type && kinds.has(type.kind); i++) {
    if (i >= CHAIN_LIMIT) return undefined;
    type = typeOf(btf, type.type);
  }
  return type;
}

/** Bytes of a value of the type; undefined for what has no size (void, functions, forward declarations, broken types). */
export function sizeOf(btf: Btf, id: number): number | undefined {
  let elements = 1;
  let next = id;
  for (let i = 0; i < CHAIN_LIMIT; i++) {
    const type = resolveType(btf, next);
    switch (type?.kind) {
      case 'array':
        elements *= type.array?.length ?? 0;
        next = type.array?.type ?? 0;
        continue;
      case 'ptr':
        return checked(elements * POINTER_BYTES);
      case 'int':
      case 'struct':
      case 'union':
      case 'enum':
      case 'enum64':
      case 'float':
      case 'datasec':
        return type.size === undefined ? undefined : checked(elements * type.size);
      case 'var':
        next = type.type ?? 0;
        continue;
      default:
        return undefined;
    }
  }
  return undefined;
}

const checked = (size: number): number | undefined => (Number.isSafeInteger(size) ? size : undefined);

/** Look-up tables of a BTF, made on first use. */
interface Index {
  readonly byName: ReadonlyMap<string, BtfType>;
  readonly tags: ReadonlyMap<number, readonly BtfType[]>;
}

const indexes = new WeakMap<Btf, Index>();

function indexOf(btf: Btf): Index {
  const known = indexes.get(btf);
  if (known) return known;
  const byName = new Map<string, BtfType>();
  const tags = new Map<number, BtfType[]>();
  for (const type of btf.types) {
    const key = `${type.kind} ${type.name}`;
    if (!byName.has(key)) byName.set(key, type);
    if (type.kind !== 'decl_tag' || type.type === undefined) continue;
    const own = tags.get(type.type);
    if (own) own.push(type);
    else tags.set(type.type, [type]);
  }
  const index = { byName, tags };
  indexes.set(btf, index);
  return index;
}

/** The type of that kind and name; the first of several. */
export function findType(btf: Btf, kind: BtfKind, name: string): BtfType | undefined {
  return indexOf(btf).byName.get(`${kind} ${name}`);
}

/** The declaration tags (`btf_decl_tag`) of a type, its members and parameters. */
export function declTagsOf(btf: Btf, id: number): readonly BtfType[] {
  return indexOf(btf).tags.get(id) ?? [];
}
