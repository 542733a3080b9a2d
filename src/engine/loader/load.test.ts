import { describe, expect, it } from 'vitest';
import { EngineError } from '../base/errors';
import { bytesToHex, hexToBytes } from '../base/hex';
import { decodeInsns, encodeInsns } from '../bpf/bytes';
import { BPF_PSEUDO, CALL, type BpfInsn } from '../bpf/insn';
import { validateProgram } from '../bpf/validate';
import { declarationText } from '../btf/text';
import { loadObject } from './load';
import type { BpfObject, BpfProgram } from './object';
import { recordedObject, recordedObjects } from './testing/recorded';

/** The kernel keeps 15 characters of a name. */
const cut = (name: string): string => name.slice(0, 15);

function programOf(object: BpfObject, name: string): BpfProgram {
  const found = object.programs.find((program) => cut(program.name) === name);
  if (!found) throw new Error(`${object.name} has no program ${name}`);
  return found;
}

/** The instructions but for the BTF ids of kernel functions, which are the running kernel's. */
const withoutBtfIds = (insns: readonly BpfInsn[]): string =>
  bytesToHex(encodeInsns(insns.map((insn) => (isKfuncCall(insn) ? { ...insn, imm: 0 } : insn))));

const isKfuncCall = (insn: BpfInsn): boolean => insn.code === CALL && insn.src === BPF_PSEUDO.KFUNC_CALL;

describe('struct_ops variables', () => {
  it('name the program behind each member, and its prototype', () => {
    const { structOps = [], btf } = loadObject(recordedObject('struct_ops_ca.v3.o'), 'struct_ops_ca.v3.o');
    const members = structOps.flatMap((variable) =>
      variable.members.map(({ name, program, btfId }) => [name, program, declarationText(btf!, btfId, name)]),
    );
    expect(structOps.map(({ name, type }) => [name, type])).toEqual([['goldca', 'tcp_congestion_ops']]);
    expect(members).toEqual([
      ['init', 'ca_init', 'void init(struct sock *)'],
      ['ssthresh', 'ca_ssthresh', 'u32 ssthresh(struct sock *)'],
      ['cong_avoid', 'ca_avoid', 'void cong_avoid(struct sock *, u32, u32)'],
      ['undo_cwnd', 'ca_undo', 'u32 undo_cwnd(struct sock *)'],
    ]);
  });

  it('are absent from objects without them', () => {
    expect(loadObject(recordedObject('fentry.v4.o'), 'fentry.v4.o')).not.toHaveProperty('structOps');
  });
});

describe('loadObject against libbpf', () => {
  let compared = 0;
  let notComparable = 0;
  for (const { name, origin, bytes, programs, maps } of recordedObjects()) {
    it(`${name} (${origin})`, () => {
      const object = loadObject(bytes, name);
      for (const recorded of programs) {
        const program = programOf(object, recorded.name);
        const structOps = program.type.name === 'struct_ops';
        expect([program.type.id, structOps ? recorded.attach : program.attachType, program.flags]).toEqual([
          recorded.type,
          recorded.attach,
          recorded.flags,
        ]);
        if (program.unsupported !== undefined) {
          notComparable++;
          continue;
        }
        compared++;
        expect(withoutBtfIds(program.insns)).toBe(withoutBtfIds(decodeInsns(hexToBytes(recorded.insns))));
        const maps = program.relocations.filter((r) => 'map' in r);
        expect(maps.map((r) => [r.insn, cut(r.map)])).toEqual(recorded.rel);
        if (recorded.subprogs) expect(program.functions.map((fn) => fn.start)).toEqual(recorded.subprogs);
        if (recorded.lines !== undefined) {
          expect(program.lines.map((line) => `${line.insn}:${line.line}:${line.column},`).join('')).toBe(
            recorded.lines,
          );
        }
        expect(() => validateProgram(program.insns)).not.toThrow();
      }
      const known = new Map(object.maps.map((map) => [cut(map.name), map]));
      for (const [map, type, key, value, entries, flags] of maps) {
        const found = known.get(map);
        // The size of a struct_ops value needs the kernel's BTF.
        const valueSize = found?.origin === 'struct_ops' ? value : found?.valueSize;
        expect([map, found?.type, found?.keySize, valueSize, found?.maxEntries, found?.flags]).toEqual([
          map,
          type,
          key,
          value,
          entries,
          flags,
        ]);
      }
    });
  }
  it('compares most of the programs', () => {
    expect([compared, notComparable]).toEqual([57, 9]);
  });
});

describe('loadObject', () => {
  it('describes maps: slots, inner maps, initial values, pinning', () => {
    const tailcall = loadObject(recordedObject('tailcall.v4.o'), 'tailcall.v4.o');
    expect(tailcall.maps.map((map) => map.name)).toEqual(['jmp', 'hits']);
    expect(tailcall.maps[0]).toMatchObject({
      type: 3,
      slots: [
        { index: 0, target: 'tc_ipv4' },
        { index: 1, target: 'tc_ipv6' },
        { index: 2, target: 'tc_arp' },
      ],
    });
    const sections = loadObject(recordedObject('sections.o'), 'sections.o');
    const outer = sections.maps.find((map) => map.name === 'outer');
    expect(outer).toMatchObject({
      type: 12,
      slots: [
        { index: 1, target: 'in1' },
        { index: 4, target: 'in2' },
      ],
    });
    expect(outer?.inner).toMatchObject({
      name: 'outer.inner',
      type: 2,
      keySize: 4,
      valueSize: 4,
      maxEntries: 1,
    });
    expect(sections.maps.find((map) => map.name === 'rb')?.maxEntries).toBe(8192);
    const data = loadObject(recordedObject('data.o'), 'data.o');
    expect(data.maps.find((map) => map.name === 'pinned')?.pinning).toBe(0);
  });

  it('names the maps of data sections as libbpf does and gives their bytes', () => {
    const { maps, globals } = loadObject(recordedObject('sections.o'), 'sections.o');
    const data = maps.filter((map) => map.origin === 'data');
    expect(data.map((map) => [map.name, map.flags, map.readOnly ?? false, map.initial?.length])).toEqual([
      ['sections.data', 0x400, false, 8],
      ['sections.rodata', 0x480, true, 39],
      ['.data.custom', 0x400, false, 4],
      ['.rodata.cfg', 0x480, true, 4],
      ['.data.averyvery', 0x400, false, 4],
      ['.rodata.str1.1', 0x80, true, 6],
      ['.bss.mine', 0x400, false, undefined],
      ['sections.bss', 0x400, false, undefined],
    ]);
    expect(Buffer.from(data.find((map) => map.name === '.rodata.str1.1')?.initial ?? []).toString()).toBe(
      'inner\0',
    );
    expect(
      globals.filter((g) => g.map === 'sections.data').map(({ name, offset, size }) => [name, offset, size]),
    ).toEqual([
      ['glob1', 0, 4],
      ['stat1', 4, 4],
    ]);
  });

  it('reads legacy maps', () => {
    const object = loadObject(recordedObject('legacy.o'), 'legacy.o');
    expect(
      object.maps.map((m) => [m.name, m.type, m.keySize, m.valueSize, m.maxEntries, m.flags, m.origin]),
    ).toEqual([
      ['hash_l', 1, 4, 8, 100, 0, 'legacy'],
      ['arr_l', 2, 4, 16, 3, 0x400, 'legacy'],
      ['jmp_l', 3, 4, 4, 3, 0, 'legacy'],
    ]);
    expect(object.programs[0]?.relocations.map((r) => ('map' in r ? r.map : r.kind))).toEqual([
      'hash_l',
      'arr_l',
      'jmp_l',
    ]);
  });

  it('knows functions, lines and the license', () => {
    const object = loadObject(recordedObject('subprogs.v3.o'), 'subprogs.v3.o');
    const main = programOf(object, 'subprog_main');
    expect(object.license).toBe('GPL');
    expect(main.functions.map((fn) => [fn.name, fn.linkage])).toEqual([
      ['subprog_main', 'global'],
      ['level1', 'static'],
      ['level2', 'static'],
      ['level3', 'static'],
      ['use_stack', 'static'],
      ['mul_add', 'static'],
      ['five', 'static'],
      ['global_clamp', 'global'],
      ['global_sum', 'global'],
    ]);
    expect(main.lines[0]).toMatchObject({
      insn: 0,
      line: 12,
      text: expect.stringContaining('subprog_main(struct args *p)'),
    });
    expect(main.lines[0]?.file).toMatch(/subprogs\.bpf\.c$/);
    expect(main.lines.every((line, i) => line.insn >= (main.lines[i - 1]?.insn ?? 0))).toBe(true);
    for (const fn of main.functions)
      expect(object.btf?.types[fn.btfId]).toMatchObject({ kind: 'func', name: fn.name });
  });

  it('works without debug information', () => {
    const object = loadObject(recordedObject('plain_nodebug.o'), 'plain_nodebug.o');
    expect(object.btf).toBeUndefined();
    expect(
      object.programs.map((program) => [program.name, program.functions.length, program.lines.length]),
    ).toEqual([
      ['p', 3, 0],
      ['q', 2, 0],
    ]);
    expect(object.globals.map((g) => g.name).sort()).toEqual(['counter', 'init', 'ro']);
  });

  it('marks programs of optional sections', () => {
    const program = programOf(loadObject(recordedObject('sections.o'), 'sections.o'), 'opt');
    expect(program).toMatchObject({ section: 'tc', optional: true });
  });

  it.each([
    [
      'core_task.v3.o',
      'core_sys',
      'Program core_sys (section syscall) needs CO-RE relocation for struct task_struct.pid at instruction 2',
    ],
    ['exceptions.v3.o', 'ex', 'Program ex (section tc) calls the kernel function bpf_throw at instruction 7'],
    [
      'struct_ops_ca.v3.o',
      'ca_init',
      'Program ca_init (section struct_ops) implements a struct_ops callback',
    ],
    [
      'arena.v3.o',
      'arena_use',
      'Program arena_use (section syscall) calls the kernel function bpf_arena_alloc_pages at instruction 12',
    ],
  ])('%s: says why %s is not supported', (file, program, sentence) => {
    const { unsupported } = programOf(loadObject(recordedObject(file), file), program);
    expect(unsupported).toMatch(
      new RegExp(`^${sentence.replace(/[()]/g, '\\$&')}, which Hartbeat does not support yet`),
    );
  });

  it('refuses an executable', () => {
    const bytes = recordedObject('plain.o').slice();
    bytes[16] = 2;
    expect(() => loadObject(bytes, 'plain')).toThrow(expect.objectContaining({ code: 'loader/type' }));
  });

  it('refuses symbols that nobody defines', () => {
    const bytes = recordedObject('loops.v4.o').slice();
    // Without its BTF the object does not say what bpf_iter_num_new is.
    const at = Buffer.from(bytes).indexOf('.BTF\0');
    bytes[at] = 'x'.charCodeAt(0);
    const open = (): BpfObject => loadObject(bytes, 'loops');
    expect(open).toThrow(EngineError);
    expect(open).toThrow(/no BTF that describes it|does not define/);
  });
});
