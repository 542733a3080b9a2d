import { EngineError } from '../../engine/base/errors';
import { decodeInsns } from '../../engine/bpf/bytes';
import { BPF_PSEUDO, CALL, LD_IMM64, type BpfInsn } from '../../engine/bpf/insn';
import type { Kernel } from '../../engine/kernel/types';
import { MAP_TYPE } from '../../engine/loader/map-types';
import type { BpfReloc } from '../../engine/loader/object';
import type { KernelFacts } from './facts';
import { addressIn, type Fields } from './fields';
import { REASON } from './kernel-images';
import type { RecordedIds } from './run-maps';

/**
 * Loads a recorded program from the instructions that were handed to the kernel.
 * @returns why it cannot be compared, or undefined when it is loaded
 * @throws EngineError for what is refused or not supported yet
 */
export function loadRecorded(
  kernel: Kernel,
  load: Fields,
  ids: RecordedIds,
  facts: KernelFacts,
): string | undefined {
  const reason = notComparable(load);
  if (reason !== undefined) return reason;
  const name = load.text('name');
  const insns = decodeInsns(load.bytes('insns'));
  const starts = load.has('subprogs') ? load.numbers('subprogs') : [];
  try {
    kernel.loadRaw({
      name,
      insns,
      progType: load.number('prog_type'),
      attachType: load.number('attach_type'),
      flags: load.number('prog_flags'),
      functions: starts.map((start, i) => ({ start, name: i === 0 ? name : `${name}_sub${i}` })),
      relocations: relocationsOf(load, insns, facts),
    });
  } catch (error) {
    // Kernel functions that Hartbeat does not have: the record does not say what their arguments are.
    if (error instanceof EngineError && insns.some(isKfuncCall)) return REASON.kfunc;
    throw error;
  }
  if (load.has('id')) ids.set(load.number('id'), name);
  return undefined;
}

/** Why a program cannot be compared, as far as its record tells. */
export function notComparable(load: Fields): string | undefined {
  if (load.has('load_error') || !load.has('xlated')) return REASON.loadError;
  const arena = load.has('funcs') && load.objects('funcs').some((fn) => fn.has('arena'));
  return arena ? REASON.arena : undefined;
}

/** Names of the maps that a program refers to. */
export const mapsOf = (load: Fields): string[] =>
  load.has('rel') ? load.rows('rel').map(([, map]) => String(map)) : [];

/** `rel` names the map of an ld_imm64; its src_reg says whether the map or a value in it is meant. */
function relocationsOf(load: Fields, insns: readonly BpfInsn[], facts: KernelFacts): BpfReloc[] {
  const relocations: BpfReloc[] = [];
  for (const [index, map] of load.has('rel') ? load.rows('rel') : []) {
    if (typeof index !== 'number' || typeof map !== 'string') continue;
    const insn = insns[index];
    if (insn?.code !== LD_IMM64) continue;
    if (insn.src === BPF_PSEUDO.MAP_VALUE || insn.src === BPF_PSEUDO.MAP_IDX_VALUE) {
      relocations.push({ kind: 'map-value', insn: index, map, offset: (insns[index + 1]?.imm ?? 0) >>> 0 });
    } else {
      relocations.push({ kind: 'map', insn: index, map });
    }
  }
  return [...relocations, ...kfuncsOf(load, insns, facts)];
}

const isKfuncCall = (insn: BpfInsn): boolean => insn.code === CALL && insn.src === BPF_PSEUDO.KFUNC_CALL;

/**
 * The kernel functions that are called, by name: from `kfuncs`, or where a record (of an object) has none, from the targets of the
 * calls in the translated program, as long as each of them is still there.
 */
function kfuncsOf(load: Fields, insns: readonly BpfInsn[], facts: KernelFacts): BpfReloc[] {
  if (load.has('kfuncs')) {
    return load
      .rows('kfuncs')
      .map(([insn, name]) => ({ kind: 'kfunc', insn: Number(insn), name: String(name) }) as const);
  }
  const sites = insns.flatMap((insn, i) => (isKfuncCall(insn) ? [i] : []));
  const targets = decodeInsns(load.bytes('xlated')).filter(isKfuncCall);
  if (sites.length === 0 || sites.length !== targets.length || !load.has('calls')) return [];
  const names = new Map(
    load.rows('calls').map(([, , target, symbol]) => [addressIn(target) ?? 0n, String(symbol)]),
  );
  return sites.flatMap((insn, i) => {
    const name = names.get(BigInt.asUintN(64, facts.symbol('__bpf_call_base') + BigInt(targets[i]!.imm)));
    return name === undefined ? [] : [{ kind: 'kfunc', insn, name } as const];
  });
}

/** The programs of an object that are run, or that its prog arrays hold. */
export function programsWithRuns(object: Fields, maps: readonly Fields[]): Fields[] {
  const run = new Set(object.objects('runs').map((step) => step.text('prog')));
  const inArrays = new Set(
    maps
      .filter((map) => map.number('type') === MAP_TYPE.PROG_ARRAY && map.has('entries'))
      .flatMap((map) => map.rows('entries').map(([, value]) => littleEndian(String(value)))),
  );
  return object
    .objects('progs')
    .filter(
      (program) => run.has(program.text('name')) || (program.has('id') && inArrays.has(program.number('id'))),
    );
}

/** The u32 that 8 hex digits in memory order stand for. */
export function littleEndian(hex: string): number {
  return parseInt((hex.slice(0, 8).match(/../g) ?? []).reverse().join(''), 16);
}
