import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { EngineError } from '../../engine/base/errors';
import { LAYOUTS } from '../../engine/profile/kernels';
import { nativeScheme, type Profile } from '../../engine/jit/profile';
import { Fields } from './fields';
import { kernelOf } from './harness';

/** What facts.json tells of the kernel that made the records beside it. */
export interface KernelFacts {
  readonly profile: Profile;
  /** Address of a kernel symbol. @throws EngineError `usage/vectors` if it is not recorded */
  symbol(name: string): bigint;
}

const known = new Map<string, KernelFacts>();

/**
 * The facts of a record file: facts.json in its directory or, for objects, in the one above.
 * @throws EngineError `usage/vectors` if there is none, or something is missing in it
 */
export function factsBeside(file: string): KernelFacts {
  const directory = path.dirname(path.resolve(file));
  const found = [directory, path.dirname(directory)]
    .map((dir) => path.join(dir, 'facts.json'))
    .find((p) => existsSync(p));
  if (found === undefined) {
    throw new EngineError(
      'usage/facts',
      `There is no facts.json beside ${file}; records of a kernel need it for the ISA, addresses and struct offsets.`,
      { file },
    );
  }
  let facts = known.get(found);
  if (!facts) known.set(found, (facts = readFacts(found)));
  return facts;
}

function readFacts(file: string): KernelFacts {
  const facts = Fields.of(parseFacts(file), file);
  const kernel = kernelOf(/\d+\.\d+/.exec(facts.text('label'))?.[0] ?? facts.text('label'));
  const symbols = facts.object('ksyms');
  const structs = facts.object('structs');
  return {
    profile: {
      kernel,
      tcc: nativeScheme(kernel),
      isa: isaOf(facts),
      cfi: ['CONFIG_CFI', 'CONFIG_CFI_CLANG'].some((name) => configured(facts, name)),
      layout: {
        bpfArrayMaxEntries:
          offsetOf(structs, 'bpf_array', 'map') + offsetOf(structs, 'bpf_map', 'max_entries'),
        bpfArrayPtrs: offsetOf(structs, 'bpf_array', 'ptrs'),
        bpfProgBpfFunc: offsetOf(structs, 'bpf_prog', 'bpf_func'),
        threadInfoCpu: offsetOf(structs, 'thread_info', 'cpu'),
        htabElemKey: structs.has('htab_elem')
          ? offsetOf(structs, 'htab_elem', 'key')
          : LAYOUTS[kernel].htabElemKey,
      },
      faults: [],
    },
    symbol: (name) => symbols.address(name),
  };
}

/** @throws EngineError `usage/facts` */
function parseFacts(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown;
  } catch {
    throw new EngineError(
      'usage/facts',
      `${file} is not JSON; records of a kernel need its facts.json whole.`,
      { file },
    );
  }
}

function configured(facts: Fields, name: string): boolean {
  const config = facts.object('config');
  return config.has(name) && config.text(name) === 'y';
}

/** Extensions the kernel's JIT may use: configured, and on the CPU. */
function isaOf(facts: Fields): Profile['isa'] {
  const onCpu = facts.object('cpuinfo').text('isa').split('_');
  const has = (name: string): boolean =>
    configured(facts, `CONFIG_RISCV_ISA_${name.toUpperCase()}`) && onCpu.includes(name);
  return {
    c: configured(facts, 'CONFIG_RISCV_ISA_C'),
    zba: has('zba'),
    zbb: has('zbb'),
    zacas: has('zacas'),
  };
}

/** A member's byte offset; members are lists `[name, offset, size, type]`. */
function offsetOf(structs: Fields, struct: string, member: string): number {
  const row = structs
    .object(struct)
    .rows('members')
    .find(([name]) => name === member);
  if (typeof row?.[1] === 'number') return row[1];
  throw new EngineError('usage/facts', `${structs.where} has no member ${struct}.${member}.`, {
    struct,
    member,
  });
}
