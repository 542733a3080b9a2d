import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BpfInterpreter } from '../bpf/interpret';
import { flatMemory } from './testing/memory';
import { loadObject } from './load';
import type { BpfObject } from './object';
import { validateProgram } from '../bpf/validate';

const DIR = new URL('../../../examples/', import.meta.url);
interface Example {
  readonly id: string;
  readonly title: string;
  readonly file: string;
  readonly source: string;
  readonly program: string;
  readonly description: string;
  readonly hint: string;
  readonly input: { readonly data: string };
}
const index = JSON.parse(readFileSync(new URL('index.json', DIR), 'utf8')) as Example[];
const open = (file: string): BpfObject => loadObject(new Uint8Array(readFileSync(new URL(file, DIR))), file);

describe('examples', () => {
  it('are all in the index', () => {
    const objects = readdirSync(DIR).filter((name) => name.endsWith('.o'));
    expect(index.map((example) => example.file).sort()).toEqual(objects.sort());
  });

  it.each(index)(
    '$id opens with its program, lines of its own source and no path of a machine',
    ({ file, source, program, input }) => {
      const object = open(file);
      expect(object.license).toBe('GPL');
      const main = object.programs.find((candidate) => candidate.name === program);
      expect(main).toBeDefined();
      for (const { insns, lines, unsupported } of object.programs) {
        expect(unsupported).toBeUndefined();
        expect(() => validateProgram(insns)).not.toThrow();
        expect(lines.length).toBeGreaterThan(0);
        for (const line of lines) expect(line.file).toBe(`examples/${source}`);
        const text = readFileSync(new URL(source, DIR), 'utf8').split('\n');
        for (const line of lines) expect(line.text).toBe(text[line.line - 1]);
      }
      expect(input.data).toMatch(/^([0-9a-f]{2}){60}$/);
      expect(readFileSync(new URL(file, DIR)).toString('latin1')).not.toMatch(/\/(home|root|tmp|work|usr)\//);
    },
  );

  /** Runs a program with one budget of tail calls for the whole run; every map's value lies at an address of its own. */
  function runExample(
    file: string,
    program: string,
    budget: number,
  ): { r0: bigint; global: (name: string) => bigint; taken: number } {
    const object = open(file);
    const memory = flatMemory();
    const base = new Map(
      object.maps.map((map, i) => [map.name, 0xffff_ffc6_0000_0000n + BigInt(i) * 0x10000n]),
    );
    for (const map of object.maps) memory.map(base.get(map.name) ?? 0n, Math.max(map.valueSize, 8));
    memory.map(0xffff_ffd0_0000_0000n, 0x40000);
    const codeOf = (name: string): { name: string; insns: BpfObject['programs'][number]['insns'] } => {
      const found = object.programs.find((candidate) => candidate.name === name);
      if (!found) throw new Error(`no program ${name}`);
      return { name, insns: found.insns };
    };
    let taken = 0;
    // The interpreter asks for maps by slot of the running program; programs are told apart by their instructions.
    const interpreter: BpfInterpreter = new BpfInterpreter(
      codeOf(program),
      {
        memory,
        stackTop: 0xffff_ffd0_0004_0000n,
        pseudo: (slot) => {
          const running = object.programs.find((p) => p.insns === interpreter.frames.at(-1)?.code.insns);
          const relocation = running?.relocations.find((r) => r.insn === slot);
          if (!relocation || !('map' in relocation)) throw new Error('no map');
          return (
            (base.get(relocation.map) ?? 0n) + BigInt(relocation.kind === 'map-value' ? relocation.offset : 0)
          );
        },
        tailCall: (_ctx, map, slot) => {
          const def = object.maps.find((candidate) => base.get(candidate.name) === map);
          const target = def?.slots?.find((entry) => BigInt(entry.index) === slot)?.target;
          if (target === undefined || taken >= budget) return undefined;
          taken++;
          return codeOf(target);
        },
      },
      [0n],
    );
    const r0 = interpreter.run(100_000);
    const global = (name: string): bigint => {
      const found = object.globals.find((candidate) => candidate.name === name);
      const at = found && base.get(found.map);
      const size = found?.size === 8 ? 8 : 4;
      return found && at !== undefined ? (memory.load(at + BigInt(found.offset), size) ?? 0n) : -1n;
    };
    return { r0, global, taken };
  }

  it('the hierarchy runs 34 times with one budget for the run', () => {
    const { r0, global, taken } = runExample('hierarchy.o', 'entry', 33);
    expect([r0, global('entries'), global('attempts'), taken]).toEqual([34n, 34n, 68n, 33]);
  });

  it('the late tail call of the budget question is refused with one budget for the run', () => {
    const used = runExample('budget_question.o', 'program1', 33);
    expect([used.r0, used.global('spent'), used.global('taken')]).toEqual([0n, 33n, 0n]);
  });
});
