import { HashMap } from '../maps/hash';
import { mapArgument, uint, type Helper, type HelperTable } from './call';

const lookup: Helper = (world, [map, key]) => {
  const object = mapArgument(world, map);
  return object.lookup(world.env.memory.read(key, object.keySize));
};

const update: Helper = (world, [map, key, value, flags]) => {
  const object = mapArgument(world, map);
  const { memory } = world.env;
  return BigInt(object.update(memory.read(key, object.keySize), memory.read(value, object.valueSize), flags));
};

const remove: Helper = (world, [map, key]) => {
  const object = mapArgument(world, map);
  return BigInt(object.delete(world.env.memory.read(key, object.keySize)));
};

const push: Helper = (world, [map, value, flags]) => {
  const object = mapArgument(world, map);
  return BigInt(object.push(world.env.memory.read(value, object.valueSize), flags));
};

const take =
  (removes: boolean): Helper =>
  (world, [map, value]) =>
    BigInt(mapArgument(world, map).take(value, removes));

/** The element itself, not its value: inlined code adds the offset. */
const lookupElement: Helper = (world, [map, key]) => {
  const object = mapArgument(world, map);
  if (!(object instanceof HashMap)) return 0n;
  const bytes = world.env.memory.read(key, object.keySize);
  return object.findElem(bytes);
};

/** Another CPU's value: there is one CPU. */
const lookupPerCpu: Helper = (world, [map, key, cpu, ...rest]) =>
  uint(cpu) === 0 ? lookup(world, [map, key, cpu, ...rest]) : 0n;

/**
 * Map helpers (kernel/bpf/helpers.c) and the functions of the map types that the verifier calls instead when it knows the map. The map
 * in a0 knows its own type, so the functions of all types are the same here.
 */
export const MAP_HELPERS: HelperTable = {
  bpf_map_lookup_elem: lookup,
  bpf_map_update_elem: update,
  bpf_map_delete_elem: remove,
  bpf_map_push_elem: push,
  bpf_map_pop_elem: take(true),
  bpf_map_peek_elem: take(false),
  bpf_map_lookup_percpu_elem: lookupPerCpu,

  __htab_map_lookup_elem: lookupElement,
  htab_map_lookup_elem: lookup,
  htab_map_update_elem: update,
  htab_map_delete_elem: remove,
  htab_of_map_lookup_elem: lookup,
  htab_lru_map_lookup_elem: lookup,
  htab_lru_map_update_elem: update,
  htab_lru_map_delete_elem: remove,
  htab_percpu_map_lookup_elem: lookup,
  htab_percpu_map_lookup_percpu_elem: lookupPerCpu,
  htab_percpu_map_update_elem: update,
  htab_lru_percpu_map_lookup_elem: lookup,
  htab_lru_percpu_map_lookup_percpu_elem: lookupPerCpu,
  htab_lru_percpu_map_update_elem: update,
  array_map_lookup_elem: lookup,
  array_map_update_elem: update,
  array_map_delete_elem: remove,
  array_of_map_lookup_elem: lookup,
  percpu_array_map_lookup_elem: lookup,
  percpu_array_map_lookup_percpu_elem: lookupPerCpu,
  trie_lookup_elem: lookup,
  trie_update_elem: update,
  trie_delete_elem: remove,
  queue_stack_map_push_elem: push,
  queue_map_pop_elem: take(true),
  queue_map_peek_elem: take(false),
  stack_map_pop_elem: take(true),
  stack_map_peek_elem: take(false),
};
