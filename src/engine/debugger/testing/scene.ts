import { assemble } from '../../bpf/assemble';
import { functionStarts } from '../../bpf/functions';
import type { BpfMapDef, BpfObject, BpfProgram, BpfReloc, LineInfo } from '../../loader/object';
import { parseProfile, type ProfileWords } from '../../jit/profile';
import { buildWorld } from '../build';
import { Session, type SessionOptions } from '../session';

/** Programs in BPF assembly that run in one session. */
export interface Scene {
  /** Text by program name; the first is entered. A line that begins with `|` belongs to the source line before it. */
  readonly programs: Readonly<Record<string, string>>;
  /** Prog arrays: names of the programs in their slots, null for an empty one. */
  readonly progArrays?: Readonly<Record<string, readonly (string | null)[]>>;
  /** Array maps with 8-byte values: number of entries. */
  readonly arrays?: Readonly<Record<string, number>>;
}

const SCHED_CLS = { id: 3, name: 'sched_cls' };

/** A session on a scene, standing at the entry of its first program. */
export function sceneSession(
  scene: Scene,
  words: ProfileWords = {},
  options: Partial<SessionOptions> = {},
): Session {
  const names = Object.keys(scene.programs);
  const object = sceneObject(scene);
  const world = buildWorld({
    object,
    profile: parseProfile(words),
    program: names[0]!,
    also: names.slice(1),
  });
  return new Session({ id: 's1', world, inputs: { data: '00'.repeat(64) }, ...options });
}

/** The object that a compiler would have made of a scene. */
export function sceneObject(scene: Scene): BpfObject {
  return {
    name: 'scene.o',
    license: 'GPL',
    programs: Object.entries(scene.programs).map(([name, text]) => programOf(name, text)),
    maps: mapsOf(scene),
    globals: [],
    externs: [],
  };
}

function mapsOf({ progArrays = {}, arrays = {} }: Scene): BpfMapDef[] {
  const plain = { flags: 0, keySize: 4 };
  return [
    ...Object.entries(progArrays).map(([name, slots]) => ({
      ...plain,
      name,
      type: 3,
      valueSize: 4,
      maxEntries: slots.length,
      slots: slots.flatMap((target, index) => (target === null ? [] : [{ index, target }])),
    })),
    ...Object.entries(arrays).map(([name, maxEntries]) => ({
      ...plain,
      name,
      type: 2,
      valueSize: 8,
      maxEntries,
    })),
  ];
}

function programOf(name: string, text: string): BpfProgram {
  const source = text.split('\n');
  const assembled = assemble(source.map((line) => line.replace(/^\s*\|/, '')).join('\n'));
  const labels = new Map([...assembled.labels].map(([label, slot]) => [slot, label]));
  const sourceLine = (line: number): number =>
    /^\s*\|/.test(source[line - 1]!) ? sourceLine(line - 1) : line;
  const lines = assembled.lines.map((line, insn): LineInfo => {
    const at = sourceLine(line);
    return { insn, file: `${name}.s`, line: at, column: 1, text: source[at - 1]!.trim() };
  });
  return {
    name,
    section: 'tc',
    type: SCHED_CLS,
    attachType: 0,
    flags: 0,
    insns: assembled.insns,
    functions: functionStarts(assembled.insns).map((start) => ({
      name: start === 0 ? name : (labels.get(start) ?? `sub_${start}`),
      start,
      btfId: 0,
      linkage: 'static',
    })),
    relocations: assembled.maps.map(({ insn, map, offset }): BpfReloc =>
      offset === undefined ? { kind: 'map', insn, map } : { kind: 'map-value', insn, map, offset },
    ),
    // A record for every slot that begins a line, as compilers write them.
    lines: lines.filter((line, i) => i === 0 || line.line !== lines[i - 1]!.line),
  };
}
