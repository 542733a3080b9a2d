import { BPF_ALU_OP, BPF_JMP_OP, BPF_SIZE, type BpfInsn } from '../bpf/insn';
import { roundUp } from '../base/u64';
import { MAP_TYPE } from '../loader/map-types';
import { alu64Imm, alu64Reg, call, jump, jumpImm, ldx, mov64Imm, perCpu, st } from './emit';
import { symbolOffset, type Rewrite } from './rewrite';
import type { XlateMap } from './types';
import { HELPER } from './verify/helper-protos';

/** BPF_F_INNER_MAP: the array may be replaced by one of another size. */
const FLAG_INNER_MAP = 1 << 12;
/** offsetof(htab_elem.lru_node) + offsetof(bpf_lru_node.ref): the mark that an entry was used. */
const LRU_REFERENCED = 16 + 19;

/** Instructions in place of bpf_map_lookup_elem on a map of known type (map_gen_lookup of its type); undefined for none. */
export function inlineLookup(map: XlateMap, rewrite: Rewrite): BpfInsn[] | undefined {
  switch (map.type) {
    case MAP_TYPE.ARRAY:
      return (map.flags & FLAG_INNER_MAP) !== 0 ? undefined : arrayLookup(map, rewrite);
    case MAP_TYPE.ARRAY_OF_MAPS:
      return arrayOfMapsLookup(map, rewrite);
    case MAP_TYPE.PERCPU_ARRAY:
      if (!rewrite.facts.percpuArrayLookupInlined || (map.flags & FLAG_INNER_MAP) !== 0) return undefined;
      return percpuArrayLookup(map, rewrite);
    case MAP_TYPE.HASH:
      return hashLookup(map, rewrite, (value) => [jumpImm(BPF_JMP_OP.JEQ, 0, 0, 1), value]);
    case MAP_TYPE.HASH_OF_MAPS:
      return hashLookup(map, rewrite, (value) => [
        jumpImm(BPF_JMP_OP.JEQ, 0, 0, 2),
        value,
        ldx(BPF_SIZE.DW, 0, 0, 0),
      ]);
    case MAP_TYPE.LRU_HASH:
      return hashLookup(map, rewrite, (value) => [
        jumpImm(BPF_JMP_OP.JEQ, 0, 0, 4),
        ldx(BPF_SIZE.B, 1, 0, LRU_REFERENCED),
        jumpImm(BPF_JMP_OP.JNE, 1, 0, 1),
        st(BPF_SIZE.B, 0, LRU_REFERENCED, 1),
        value,
      ]);
    case MAP_TYPE.PERCPU_HASH:
      if (!rewrite.facts.percpuArrayLookupInlined) return undefined;
      return hashLookup(map, rewrite, (value) => [
        jumpImm(BPF_JMP_OP.JEQ, 0, 0, 3),
        value,
        ldx(BPF_SIZE.DW, 0, 0, 0),
        perCpu(0, 0),
      ]);
    default:
      return undefined;
  }
}

/** r0 = the index in *r2, or a jump to `r0 = 0` that `distance` instructions follow, and r1 = the first value. */
function arrayIndex(map: XlateMap, rewrite: Rewrite, distance: number): BpfInsn[] {
  return [
    alu64Imm(BPF_ALU_OP.ADD, 1, rewrite.arrayValueOffset),
    ldx(BPF_SIZE.W, 0, 2, 0),
    jumpImm(BPF_JMP_OP.JGE, 0, map.maxEntries | 0, distance),
  ];
}

/** r0 *= size */
function scaled(size: number): BpfInsn {
  const isPower = (size & (size - 1)) === 0;
  return isPower ? alu64Imm(BPF_ALU_OP.LSH, 0, Math.log2(size)) : alu64Imm(BPF_ALU_OP.MUL, 0, size);
}

const NOT_FOUND = [jump(1), mov64Imm(0, 0)];

function arrayLookup(map: XlateMap, rewrite: Rewrite): BpfInsn[] {
  const size = roundUp(map.valueSize, 8);
  return [...arrayIndex(map, rewrite, 3), scaled(size), alu64Reg(BPF_ALU_OP.ADD, 0, 1), ...NOT_FOUND];
}

function arrayOfMapsLookup(map: XlateMap, rewrite: Rewrite): BpfInsn[] {
  return [
    ...arrayIndex(map, rewrite, 5),
    scaled(8),
    alu64Reg(BPF_ALU_OP.ADD, 0, 1),
    ldx(BPF_SIZE.DW, 0, 0, 0),
    jumpImm(BPF_JMP_OP.JEQ, 0, 0, 1),
    ...NOT_FOUND,
  ];
}

function percpuArrayLookup(map: XlateMap, rewrite: Rewrite): BpfInsn[] {
  return [
    ...arrayIndex(map, rewrite, 5),
    scaled(8),
    alu64Reg(BPF_ALU_OP.ADD, 0, 1),
    ldx(BPF_SIZE.DW, 0, 0, 0),
    perCpu(0, 0),
    ...NOT_FOUND,
  ];
}

/** A call that finds the element, then what makes a value of it; `value` moves r0 from the element to its value. */
function hashLookup(
  map: XlateMap,
  rewrite: Rewrite,
  found: (value: BpfInsn) => BpfInsn[],
): BpfInsn[] | undefined {
  const target = symbolOffset(rewrite, '__htab_map_lookup_elem');
  if (target === undefined) return undefined;
  return [
    call(target),
    ...found(alu64Imm(BPF_ALU_OP.ADD, 0, rewrite.htabKeyOffset + roundUp(map.keySize, 8))),
  ];
}

type MapFunctions = Readonly<Partial<Record<number, string>>>;

const functions = (
  lookup: string | undefined,
  update: string | undefined,
  remove: string | undefined,
  more: MapFunctions = {},
): MapFunctions => ({
  ...(lookup === undefined ? {} : { [HELPER.MAP_LOOKUP]: lookup }),
  ...(update === undefined ? {} : { [HELPER.MAP_UPDATE]: update }),
  ...(remove === undefined ? {} : { [HELPER.MAP_DELETE]: remove }),
  ...more,
});

const FOR_EACH_HASH: MapFunctions = { [HELPER.FOR_EACH_MAP_ELEM]: 'bpf_for_each_hash_elem' };
const FOR_EACH_ARRAY: MapFunctions = { [HELPER.FOR_EACH_MAP_ELEM]: 'bpf_for_each_array_elem' };

/** The functions that map types offer in place of the generic helpers (struct bpf_map_ops), by helper id. */
const MAP_FUNCTIONS: Readonly<Partial<Record<number, MapFunctions>>> = {
  [MAP_TYPE.HASH]: functions(
    'htab_map_lookup_elem',
    'htab_map_update_elem',
    'htab_map_delete_elem',
    FOR_EACH_HASH,
  ),
  [MAP_TYPE.ARRAY]: functions(
    'array_map_lookup_elem',
    'array_map_update_elem',
    'array_map_delete_elem',
    FOR_EACH_ARRAY,
  ),
  [MAP_TYPE.PERCPU_HASH]: functions(
    'htab_percpu_map_lookup_elem',
    'htab_percpu_map_update_elem',
    'htab_map_delete_elem',
    {
      ...FOR_EACH_HASH,
      [HELPER.MAP_LOOKUP_PERCPU]: 'htab_percpu_map_lookup_percpu_elem',
    },
  ),
  [MAP_TYPE.PERCPU_ARRAY]: functions(
    'percpu_array_map_lookup_elem',
    'array_map_update_elem',
    'array_map_delete_elem',
    {
      ...FOR_EACH_ARRAY,
      [HELPER.MAP_LOOKUP_PERCPU]: 'percpu_array_map_lookup_percpu_elem',
    },
  ),
  [MAP_TYPE.LRU_HASH]: functions(
    'htab_lru_map_lookup_elem',
    'htab_lru_map_update_elem',
    'htab_lru_map_delete_elem',
    FOR_EACH_HASH,
  ),
  [MAP_TYPE.LRU_PERCPU_HASH]: functions(
    'htab_lru_percpu_map_lookup_elem',
    'htab_lru_percpu_map_update_elem',
    'htab_lru_map_delete_elem',
    { ...FOR_EACH_HASH, [HELPER.MAP_LOOKUP_PERCPU]: 'htab_lru_percpu_map_lookup_percpu_elem' },
  ),
  [MAP_TYPE.LPM_TRIE]: functions('trie_lookup_elem', 'trie_update_elem', 'trie_delete_elem'),
  [MAP_TYPE.HASH_OF_MAPS]: functions('htab_of_map_lookup_elem', undefined, 'htab_map_delete_elem'),
  [MAP_TYPE.QUEUE]: {
    [HELPER.MAP_PUSH]: 'queue_stack_map_push_elem',
    [HELPER.MAP_POP]: 'queue_map_pop_elem',
    [HELPER.MAP_PEEK]: 'queue_map_peek_elem',
  },
  [MAP_TYPE.STACK]: {
    [HELPER.MAP_PUSH]: 'queue_stack_map_push_elem',
    [HELPER.MAP_POP]: 'stack_map_pop_elem',
    [HELPER.MAP_PEEK]: 'stack_map_peek_elem',
  },
};

/** The function that a map's type offers for a helper; undefined for the generic one. */
export const mapFunction = (map: XlateMap, helper: number): string | undefined =>
  MAP_FUNCTIONS[map.type]?.[helper];
