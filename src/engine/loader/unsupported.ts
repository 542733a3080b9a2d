import { declTagsOf, resolveType, typeOf } from '../btf/resolve';
import type { BtfCoreRelo } from '../btf/ext';
import { typeText } from '../btf/text';
import type { Btf } from '../btf/types';
import { INSN_BYTES } from '../bpf/bytes';
import { isKfuncName } from '../bpf/kfuncs';
import type { CodeInfo } from './code-info';
import { MAP_TYPE } from './map-types';
import type { BpfExtern, BpfMapDef } from './object';
import type { SectionKind } from './program-types';
import type { LinkedProgram } from './subprograms';
import type { SourceFunction } from './code';

/** What is known of a program when the question is whether it can be loaded. */
export interface Candidate {
  readonly main: SourceFunction;
  readonly kind: SectionKind | undefined;
  readonly linked: LinkedProgram;
  readonly info: CodeInfo;
  readonly btf: Btf | undefined;
  readonly maps: ReadonlyMap<string, BpfMapDef>;
}

/** Why Hartbeat cannot load the program, as one sentence; undefined when it can. */
export function unsupportedReason(candidate: Candidate): string | undefined {
  const { main, kind, linked, btf } = candidate;
  const where = `Program ${main.name} (section ${main.code.section.name})`;
  if (!kind) {
    return `${where} has a section name that libbpf does not know, so it has no program type; name the section xdp, tc, fentry/FUNCTION and so on.`;
  }
  if (kind.type.name === 'struct_ops') {
    return `${where} implements a struct_ops callback, which Hartbeat does not support yet; open a program of another type.`;
  }
  for (const { fn, start } of linked.functions) {
    const core = candidate.info.firstCoreRelo(fn.code.section.name, fn);
    if (!core) continue;
    const insn = start + core.offset / INSN_BYTES - fn.start;
    return `${where} needs CO-RE relocation for ${coreText(btf, core)} at instruction ${insn}, which Hartbeat does not support yet; access fixed layouts instead.`;
  }
  const extern = linked.externs.find(({ target }) => !isKnownKfunc(target.extern));
  if (extern) {
    const { name, kind: what } = extern.target.extern;
    const words = {
      kfunc: 'calls the kernel function',
      ksym: 'uses the kernel symbol',
      kconfig: 'reads the kernel configuration value',
    }[what];
    return `${where} ${words} ${name} at instruction ${extern.insn}, which Hartbeat does not support yet.`;
  }
  for (const relocation of linked.relocations) {
    const map = 'map' in relocation ? candidate.maps.get(relocation.map) : undefined;
    if (map?.type === MAP_TYPE.ARENA) {
      return `${where} uses the arena map ${map.name} at instruction ${relocation.insn}, which Hartbeat does not support yet.`;
    }
  }
  const callback = btf && exceptionCallback(btf, main.btfId);
  return callback === undefined
    ? undefined
    : `${where} names ${callback} as its exception callback, which Hartbeat does not support yet.`;
}

/** Kernel functions are known by their names; other externs need the kernel's addresses or configuration. */
const isKnownKfunc = ({ kind, name }: BpfExtern): boolean => kind === 'kfunc' && isKfuncName(name);

/** `struct task_struct.comm` for a relocation of `0:2`; the type alone where the path names no member. */
function coreText(btf: Btf | undefined, relo: BtfCoreRelo): string {
  if (!btf) return `type ${relo.type}`;
  let text = typeText(btf, relo.type);
  let id: number | undefined = relo.type;
  // The first number indexes the root type as an array.
  for (const step of relo.access.split(':').slice(1, 17)) {
    const type = resolveType(btf, id);
    const member = type?.members?.[Number(step)];
    if (type?.kind === 'array') id = type.array?.type;
    else if (member) {
      if (member.name !== '') text += `.${member.name}`;
      id = member.type;
    } else break;
  }
  return text;
}

/** The function that a declaration tag `exception_callback:NAME` of the program names. */
function exceptionCallback(btf: Btf, programId: number): string | undefined {
  if (typeOf(btf, programId)?.kind !== 'func') return undefined;
  const prefix = 'exception_callback:';
  const tag = declTagsOf(btf, programId).find((type) => type.name.startsWith(prefix));
  return tag?.name.slice(prefix.length);
}
