import { bytesToHex, hexToBytes } from '../../engine/base/hex';
import { decodeInsns } from '../../engine/bpf/bytes';
import { CALL, type BpfInsn } from '../../engine/bpf/insn';
import { isMapTypeSupported } from '../../engine/kernel/maps/registry';
import type { Kernel } from '../../engine/kernel/types';
import { MAP_TYPE } from '../../engine/loader/map-types';
import type { Fields } from './fields';
import type { RecordCheck } from './report';
import { littleEndian, mapsOf } from './run-programs';

/** Names of the loaded programs by the id that the recorded kernel gave them. */
export type RecordedIds = Map<number, string>;

/** Entries that a dump holds at most. */
const DUMPED_ENTRIES = 64;
/** libbpf freezes the data sections that programs only read. */
const BPF_F_RDONLY_PROG = 1 << 7;

/**
 * Creates the recorded map.
 * @param needed whether a type that is not supported is an error; otherwise the map is passed over
 * @returns whether the map was made
 */
export function createRecordedMap(kernel: Kernel, map: Fields, needed = true): boolean {
  const type = map.number('type');
  if (!needed && !isMapTypeSupported(type)) return false;
  kernel.createMap({
    name: map.text('name'),
    type,
    keySize: map.count('key_size'),
    valueSize: map.count('value_size'),
    maxEntries: map.count('max_entries'),
    flags: map.count('flags'),
  });
  return true;
}

/** Gives the map the contents it had after loading: values at once, programs when they are there (`ids`). */
export function fillRecordedMap(kernel: Kernel, map: Fields, ids?: RecordedIds): void {
  if (!map.has('entries')) return;
  const target = kernel.map(map.text('name'));
  const programs = target.type === MAP_TYPE.PROG_ARRAY;
  for (const [key, value] of map.rows('entries')) {
    if (programs && ids) {
      const program = ids.get(littleEndian(String(value)));
      if (program !== undefined) kernel.setProgArray(target, littleEndian(String(key)), program);
    } else if (!programs && !ids) {
      kernel.updateMap(target, hexToBytes(String(key)), padded(hexToBytes(String(value))));
    }
  }
  if (!ids && (target.flags & BPF_F_RDONLY_PROG) !== 0) kernel.freezeMap(target);
}

/** Maps to which only an update adds elements. */
const HASH_TYPES: ReadonlySet<number> = new Set([
  MAP_TYPE.HASH,
  MAP_TYPE.PERCPU_HASH,
  MAP_TYPE.LRU_HASH,
  MAP_TYPE.LRU_PERCPU_HASH,
  MAP_TYPE.LPM_TRIE,
  MAP_TYPE.HASH_OF_MAPS,
]);
const HELPER_UPDATE = 2;

/**
 * Whether the elements of a map can only come from user space, which put them there between loading and the runs: nothing but an
 * update adds elements to a hash map, and no program that knows the map calls the helper. The record shows them afterwards alone.
 */
export function isFilledByUser(dump: Fields, programs: readonly Fields[]): boolean {
  if (!HASH_TYPES.has(dump.number('type')) || !dump.has('entries')) return false;
  return programs
    .filter((program) => mapsOf(program).includes(dump.text('name')))
    .every((program) => !decodeInsns(program.bytes('insns')).some(isUpdate));
}

const isUpdate = (insn: BpfInsn): boolean =>
  insn.code === CALL && insn.src === 0 && insn.imm === HELPER_UPDATE;

/** Values of per-CPU maps are given in slots of 8 bytes. */
function padded(value: Uint8Array): Uint8Array {
  const full = new Uint8Array(Math.ceil(value.length / 8) * 8);
  full.set(value);
  return full;
}

/** Compares a map with its recorded contents, as sets; of per-CPU values the first slot counts. */
export function checkMapDump(
  check: RecordCheck,
  kernel: Kernel,
  dump: Fields,
  what: string,
  ids: RecordedIds,
): void {
  if (!dump.has('entries')) return;
  const map = kernel.map(dump.text('name'));
  const programs = map.type === MAP_TYPE.PROG_ARRAY;
  const names = new Map(kernel.programs.map((program) => [program.id, program.name]));
  const nameOf = (id: number, known: ReadonlyMap<number, string>): string => known.get(id) ?? `program ${id}`;
  const got = new Map(
    kernel.dumpMap(map).map(({ key, value }) => {
      const hex = bytesToHex(value);
      return [bytesToHex(key), programs ? nameOf(littleEndian(hex), names) : hex.slice(0, 2 * map.valueSize)];
    }),
  );
  const expected = new Map(
    dump.rows('entries').map(([key, value]) => {
      const hex = String(value);
      return [String(key), programs ? nameOf(littleEndian(hex), ids) : hex.slice(0, 2 * map.valueSize)];
    }),
  );
  check.count('map dumps');
  check.expect(what, firstDifference(expected, got));
}

function firstDifference(
  expected: ReadonlyMap<string, string>,
  got: ReadonlyMap<string, string>,
): string | undefined {
  for (const [key, value] of expected) {
    const own = got.get(key);
    if (own !== value) return `key ${key}\nexpected ${value}\ngot      ${own ?? 'no element'}`;
  }
  const more = [...got.keys()].find((key) => !expected.has(key));
  if (more === undefined || expected.size >= DUMPED_ENTRIES) return undefined;
  return `key ${more}\nexpected no element\ngot      ${got.get(more)}`;
}
