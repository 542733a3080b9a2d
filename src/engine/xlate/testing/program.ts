import { assemble } from '../../bpf/assemble';
import type { BpfReloc } from '../../loader/object';
import { supportsSubprogTailCalls } from '../../jit/tcc/index';
import { parseProfile, type ProfileWords } from '../../jit/profile';
import type { XlatedProgram, XlateInput, XlateMap } from '../types';
import { xlate } from '../xlate';
import { printInsn } from '../../bpf/print';
import { GOLDEN, portOf } from './recorded';

/** An array map for tests. */
export const mapNamed = (name: string, more: Partial<XlateMap> = {}): XlateMap => ({
  name,
  type: 2,
  keySize: 4,
  valueSize: 8,
  maxEntries: 4,
  flags: 0,
  address: 0xffff_ffc6_0000_0000n,
  valueAddress: 0xffff_ffc6_0000_0108n,
  ...more,
});

export interface ProgramOptions extends ProfileWords {
  /** enum bpf_prog_type; syscall (plain memory as context) by default */
  readonly progType?: number;
  readonly attachType?: number;
  readonly maps?: readonly XlateMap[];
  readonly linkage?: Readonly<Record<number, 'global'>>;
  readonly kfuncs?: Readonly<Record<number, string>>;
  readonly flags?: number;
}

/** The input that a text stands for; `map[name:…]` operands become relocations. */
export function inputOfText(text: string, options: ProgramOptions = {}): XlateInput {
  const { insns, maps } = assemble(text);
  const relocations: BpfReloc[] = maps.map(({ insn, map, offset }) =>
    offset === undefined ? { kind: 'map', insn, map } : { kind: 'map-value', insn, map, offset },
  );
  for (const [insn, name] of Object.entries(options.kfuncs ?? {})) {
    relocations.push({ kind: 'kfunc', insn: Number(insn), name });
  }
  const profile = parseProfile(options);
  return {
    name: 'test',
    insns,
    functions: Object.entries(options.linkage ?? {}).map(([start, linkage]) => ({
      start: Number(start),
      name: `global${start}`,
      linkage,
    })),
    relocations,
    progType: options.progType ?? 31,
    attachType: options.attachType ?? 0,
    flags: options.flags ?? 16,
    profile,
    supportsSubprogTailCalls: supportsSubprogTailCalls(profile),
  };
}

/** The text's program as the verifier hands it to the JIT. */
export function xlateText(text: string, options: ProgramOptions = {}): XlatedProgram {
  const facts = GOLDEN.facts[options.kernel === '7.2' || options.kernel === '7.3' ? '7.2' : '6.12'];
  return xlate(inputOfText(text, options), portOf(facts, options.maps, '0xffffffff81c08980'));
}

/** One line an instruction, `rule` behind those that a rewrite made. */
export function listing(program: XlatedProgram): string[] {
  return program.insns.flatMap((_, i) => {
    const text = printInsn(program.insns, i, { note: (slot) => program.notes.get(slot) });
    const rule = program.origin[i]?.rule;
    return text === '' ? [] : [`${i}: ${text}${rule === undefined ? '' : ` <${rule}>`}`];
  });
}
