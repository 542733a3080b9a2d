import { HELPER_MAX, helperName } from '../../bpf/helpers';
import { CALLBACK_HELPERS } from './callback';
import type { Helper, HelperTable } from './call';
import { CHECKSUM_HELPERS } from './checksum';
import { KFUNCS } from './kfuncs';
import { LOCK_HELPERS } from './lock';
import { MAP_HELPERS } from './map';
import { MEMORY_HELPERS } from './memory';
import { OUTPUT_HELPERS } from './output';
import { PRINT_HELPERS } from './print';
import { REDIRECT_HELPERS } from './redirect';
import { SKB_HELPERS } from './skb';
import { TASK_HELPERS } from './task';
import { TIME_HELPERS } from './time';
import { XDP_HELPERS } from './xdp';

const PROG_TYPE_XDP = 6;
/** Types whose context is a sk_buff. */
const SKB_TYPES: ReadonlySet<number> = new Set([1, 3, 4, 8, 10, 11, 12, 14, 19]);

const HELPERS: HelperTable = {
  ...MAP_HELPERS,
  ...TASK_HELPERS,
  ...TIME_HELPERS,
  ...PRINT_HELPERS,
  ...MEMORY_HELPERS,
  ...LOCK_HELPERS,
  ...SKB_HELPERS,
  ...XDP_HELPERS,
  ...CHECKSUM_HELPERS,
  ...REDIRECT_HELPERS,
  ...OUTPUT_HELPERS,
  ...Object.fromEntries(Object.entries(KFUNCS).map(([name, kfunc]) => [name, kfunc.run])),
};

/** What a kernel function does; undefined for one that is not modelled. */
export function helperByName(name: string): Helper | undefined {
  return Object.hasOwn(HELPERS, name) ? HELPERS[name] : undefined;
}

/** Kernel functions whose name differs from that of the helper, by helper. */
const NAMES_IN_KERNEL: Readonly<Record<string, string | { xdp?: string; skb?: string; other: string }>> = {
  bpf_get_prandom_u32: 'bpf_user_rnd_u32',
  bpf_redirect: { xdp: 'bpf_xdp_redirect', other: 'bpf_redirect' },
  bpf_redirect_map: 'bpf_xdp_redirect_map',
  bpf_perf_event_output: {
    xdp: 'bpf_xdp_event_output',
    skb: 'bpf_skb_event_output',
    other: 'bpf_perf_event_output',
  },
};

/** Name of the kernel function that helper `id` is for programs of a type; undefined for an id without a helper. */
export function helperFunction(id: number, progType: number): string | undefined {
  const name = helperName(id);
  if (name === undefined) return undefined;
  const inKernel = Object.hasOwn(NAMES_IN_KERNEL, name) ? NAMES_IN_KERNEL[name] : undefined;
  if (inKernel === undefined) return name;
  if (typeof inKernel === 'string') return inKernel;
  if (progType === PROG_TYPE_XDP && inKernel.xdp) return inKernel.xdp;
  if (SKB_TYPES.has(progType) && inKernel.skb) return inKernel.skb;
  return inKernel.other;
}

const allHelperNames = Array.from({ length: HELPER_MAX }, (_, i) => i + 1).flatMap((id) =>
  [0, 1, PROG_TYPE_XDP].map((type) => helperFunction(id, type)!),
);

/** Every kernel function that code may be given the address of, modelled or not; their order fixes their addresses. */
export const HELPER_FUNCTIONS: readonly string[] = [
  ...new Set([
    ...allHelperNames,
    ...Object.keys(HELPERS),
    ...Object.keys(CALLBACK_HELPERS),
    ...Object.keys(KFUNCS),
  ]),
];

const IDS: ReadonlyMap<string, number> = new Map(
  Array.from({ length: HELPER_MAX }, (_, i) => HELPER_MAX - i).flatMap((id) =>
    [0, 1, PROG_TYPE_XDP].map((type) => [helperFunction(id, type)!, id] as const),
  ),
);

/** Which helper a function that stands in for a generic map helper does the work of. */
const STANDS_FOR: readonly (readonly [RegExp, string])[] = [
  [/_map_lookup_percpu_elem$/, 'bpf_map_lookup_percpu_elem'],
  [/_map_lookup_elem$|^trie_lookup_elem$/, 'bpf_map_lookup_elem'],
  [/_map_update_elem$|^trie_update_elem$/, 'bpf_map_update_elem'],
  [/_map_delete_elem$|^trie_delete_elem$/, 'bpf_map_delete_elem'],
  [/_map_push_elem$/, 'bpf_map_push_elem'],
  [/_map_pop_elem$/, 'bpf_map_pop_elem'],
  [/_map_peek_elem$/, 'bpf_map_peek_elem'],
  [/^bpf_for_each_/, 'bpf_for_each_map_elem'],
];

function findId(name: string): number {
  const standsFor = STANDS_FOR.find(([pattern]) => pattern.test(name))?.[1];
  return IDS.get(name) ?? (standsFor === undefined ? 0 : (IDS.get(standsFor) ?? 0));
}

const FOUND: ReadonlyMap<string, number> = new Map(HELPER_FUNCTIONS.map((name) => [name, findId(name)]));

/** The id (enum bpf_func_id) of the helper that a kernel function is or stands in for; 0 for kfuncs and other functions. */
export const helperIdOf = (name: string): number => FOUND.get(name) ?? findId(name);
