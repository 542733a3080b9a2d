import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadObject } from '../loader/load';
import type { BpfObject } from '../loader/object';
import { SCHEMES } from '../jit/profile';
import { compareView, compile } from './compare';
import { compareListings } from './compare-listing';
import { sceneObject, type Scene } from './testing/scene';
import type { CompareRowView, CompareView, ProfileView } from './views';

const profile = (tcc: string, kernel = '6.12', isa = 'rv64imac'): ProfileView => ({ kernel, tcc, isa });

function compared(
  object: BpfObject,
  program: string,
  left: ProfileView,
  right: ProfileView,
  name?: string,
): CompareView {
  return compareView({
    object,
    program,
    function: name,
    left: compile(object, program, left),
    right: compile(object, program, right),
  });
}

function example(name: string): BpfObject {
  return loadObject(
    new Uint8Array(readFileSync(new URL(`../../../examples/${name}.o`, import.meta.url))),
    name,
  );
}

const title = (row: CompareRowView): string =>
  row.part === 'body' ? (row.left ?? row.right)!.text.replace(/ pc\S+#/, ' ').replace(/#.*/, '') : row.part;

/** The lines of a row that differ: `< left`, `> right`, `left ≠ right`. */
function differing(row: CompareRowView): string[] {
  return row.lines.flatMap(({ mark, left, right }) => {
    if (mark === 'left') return [`< ${left!.text}`];
    if (mark === 'right') return [`> ${right!.text}`];
    return mark === 'changed' ? [`${left!.text} ≠ ${right!.text}`] : [];
  });
}

/** The rows that differ, by what they are. */
const differences = (view: CompareView): Record<string, string[]> =>
  Object.fromEntries(view.rows.filter((row) => !row.same).map((row) => [title(row), differing(row)]));

/** Main calls a subprogram and a helper; the subprogram calls a helper and may tail-call. Both use stack. */
const MAIN_SUB_TAIL_HELPER: Scene = {
  programs: {
    main: `
      r6 = r1
      *(u64 *)(r10 -16) = 0
      call sub
      r7 = r0
      r1 = r6
      call bpf_ktime_get_ns
      r0 += r7
      exit
sub:
      r6 = r1
      *(u64 *)(r10 -8) = 0
      call bpf_get_prandom_u32
      r1 = r6
      r2 = map[name:targets]
      r3 = 0
      call bpf_tail_call
      r0 = 1
      exit`,
  },
  progArrays: { targets: [null] },
};

describe('the TCC schemes of one program, as the spec’s worked example has them', () => {
  const object = sceneObject(MAIN_SUB_TAIL_HELPER);
  const between = (left: string, right: string, name?: string) =>
    differences(compared(object, 'main', profile(left), profile(right), name));

  test.each([
    ['stack-v1', 'stack-v3', { epilogue: ['< ld a6, 16(sp)'] }],
    [
      'stack-v3',
      'stack-v6',
      {
        'call sub': ['> sd a6, 16(sp)'],
        'call bpf_ktime_get_ns': ['< ld a6, 16(sp)'],
        epilogue: ['> ld a6, 16(sp)'],
      },
    ],
    [
      'stack-v1',
      'transparent',
      {
        prologue: ['sd a6, 16(sp) ≠ sd s6, 16(sp)'],
        'call sub': ['< ld a6, 16(sp)'],
        'call bpf_ktime_get_ns': ['< ld a6, 16(sp)', '> mv s6, a6', '> mv a6, s6'],
        epilogue: ['ld a6, 16(sp) ≠ ld s6, 16(sp)'],
      },
    ],
    [
      'stack-v6',
      'transparent',
      {
        prologue: ['sd a6, 16(sp) ≠ sd s6, 16(sp)'],
        'call sub': ['< ld a6, 16(sp)', '< sd a6, 16(sp)'],
        'call bpf_ktime_get_ns': ['> mv s6, a6', '> mv a6, s6'],
        epilogue: ['ld a6, 16(sp) ≠ ld s6, 16(sp)'],
      },
    ],
  ])('main: %s against %s', (left, right, expected) => {
    expect(between(left, right)).toEqual(expected);
  });

  test.each([
    [
      'stack-v1',
      'stack-v3',
      {
        tail_call: ['< ld a6, 24(sp)'],
        epilogue: ['< ld a6, 24(sp)'],
      },
    ],
    [
      'stack-v6',
      'transparent',
      {
        prologue: ['sd a6, 24(sp) ≠ sd s6, 24(sp)'],
        'call bpf_user_rnd_u32': ['> mv s6, a6', '> mv a6, s6'],
        tail_call: [
          '< ld a6, 24(sp)',
          '< addi a6, a6, -1',
          'bltz a6, → 8 ≠ blez a6, → 8',
          '< sd a6, 24(sp)',
          '> addi a6, a6, -1',
          'ld a6, 24(sp) ≠ ld s6, 24(sp)',
        ],
        epilogue: ['ld a6, 24(sp) ≠ ld s6, 24(sp)'],
      },
    ],
  ])('sub: %s against %s', (left, right, expected) => {
    expect(between(left, right, 'sub')).toEqual(expected);
  });

  test('sizes and totals are those of the images, row by row', () => {
    const view = compared(object, 'main', profile('stack-v6'), profile('transparent'), 'sub');
    for (const side of ['left', 'right'] as const) {
      const sizes = view.rows.map((row) => row[`${side}Size`]);
      const { total, parts, function: fn } = view[side];
      expect(sizes.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(total!.bytes);
      expect(sizes.reduce((sum, { instructions }) => sum + instructions, 0)).toBe(total!.instructions);
      expect([sizes[0]!.bytes, sizes.at(-1)!.bytes]).toEqual([parts!.prologue, parts!.epilogue]);
      expect(fn!.size).toBe(total!.bytes);
      const offsets = view.rows.flatMap((row) =>
        row.lines.flatMap((line) => (line[side] ? [line[side].offset] : [])),
      );
      expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
      expect(offsets).toHaveLength(total!.instructions);
    }
    expect(view.rows.map((row) => row.delta).reduce((a, b) => a + b)).toBe(
      view.right.total!.bytes - view.left.total!.bytes,
    );
  });

  test('every instruction names its rule, and every rule has its sentence', () => {
    const view = compared(object, 'main', profile('stack-v6'), profile('transparent'));
    const natives = view.rows.flatMap((row) => row.lines.flatMap(({ left, right }) => [left, right]));
    for (const native of natives) {
      if (native) expect(view.rules[native.rule]).toMatch(/\w+.*\.$/);
    }
    const call = view.rows.find((row) => title(row) === 'call bpf_ktime_get_ns')!;
    expect(call.lines.map(({ right }) => right?.rule)).toContain('tcc/save-around-call');
  });

  test('mainline refuses it; the comparison says so and keeps the other side', () => {
    const view = compared(object, 'main', profile('transparent'), profile('mainline'));
    expect(view.right).toEqual({
      profile: profile('mainline'),
      problem: expect.stringMatching(/tail_calls are not allowed.*bpf-to-bpf calls/) as string,
    });
    expect(view.rows).toEqual([]);
    expect(view.left.total!.bytes).toBeGreaterThan(0);
    expect(view.functions).toEqual(['main/main', 'main/sub']);
    expect(compared(object, 'main', profile('mainline'), profile('stack-v3', '7.2'))).toMatchObject({
      left: { problem: expect.stringContaining('tail_calls') as string },
      right: { problem: expect.stringContaining('not defined for kernel 7.2') as string },
      functions: [],
    });
  });
});

describe('the examples', () => {
  const programs = [
    ['hierarchy', 'entry'],
    ['tailcall_dispatch', 'dispatch'],
    ['xdp_counters', 'xdp_counters'],
    ['bpf2bpf_helpers', 'measure'],
  ] as const;

  test.each(programs)('%s: a profile against itself has no difference', (name, program) => {
    const object = example(name);
    for (const key of compared(object, program, profile('transparent'), profile('transparent')).functions) {
      const view = compared(object, program, profile('transparent'), profile('transparent'), key);
      expect(view.differing).toBe(0);
      expect(view.marks).toMatchObject({ placement: 0, changed: 0, left: 0, right: 0 });
    }
  });

  test.each(programs)('%s: the other way round the same rows differ, mirrored', (name, program) => {
    const object = example(name);
    const there = compared(object, program, profile('transparent'), profile('stack-v6'));
    const back = compared(object, program, profile('stack-v6'), profile('transparent'));
    expect(back.rows.map(({ same }) => same)).toEqual(there.rows.map(({ same }) => same));
    expect(back.marks.left + back.marks.changed).toBe(there.marks.right + there.marks.changed);
    expect(back.rows.map(({ delta }) => 0 - delta)).toEqual(there.rows.map(({ delta }) => delta));
  });

  const cases: readonly (readonly [string, string, string, ProfileView, number])[] = [
    ['hierarchy', 'entry', 'entry', profile('stack-v6'), 4],
    ['hierarchy', 'entry', 'call_entry', profile('stack-v6'), 3],
    // Only the tail call itself: a program without calls has no use for s6.
    ['tailcall_dispatch', 'dispatch', 'dispatch', profile('mainline'), 1],
    ['xdp_counters', 'xdp_counters', 'xdp_counters', profile('mainline'), 0],
  ];
  test.each(cases)(
    '%s %s/%s: transparent against %o differs in %i rows',
    (name, program, fn, right, rows) => {
      const view = compared(example(name), program, profile('transparent'), right, fn);
      expect(view.differing).toBe(rows);
    },
  );

  test('every pair of kernels gives a comparison in which each BPF slot stands once', () => {
    const object = example('tailcall_dispatch');
    const compiled = Object.entries(SCHEMES).map(([kernel, schemes]) =>
      compile(object, 'dispatch', profile(schemes[0]!, kernel)),
    );
    for (const left of compiled) {
      for (const right of compiled) {
        const { rows } = compareView({ object, program: 'dispatch', left, right });
        expect(rows.length).toBeGreaterThan(50);
        for (const side of ['left', 'right'] as const) {
          const slots = rows.flatMap((row) => (row[side] ? [row[side].slot] : []));
          expect(slots).toEqual(slots.toSorted((a, b) => a - b));
          expect(new Set(slots).size).toBe(slots.length);
        }
      }
    }
  });
});

describe('what only placement changes', () => {
  /** A loop over an array's values whose map lies behind others of a given size. */
  const behind = (entries: number): Scene => ({
    programs: {
      main: `
        r6 = r1
        r2 = map[name:numbers]
        *(u64 *)(r10 -8) = 0
        r1 = r2
        r2 = r10
        r2 += -8
        call bpf_map_lookup_elem
        if r0 == 0 goto out
        r7 = *(u64 *)(r0 +0)
        call bpf_ktime_get_ns
        r0 += r7
out:
        exit`,
    },
    arrays: { before: entries, numbers: 4 },
  });
  const one = compile(sceneObject(behind(1)), 'main', profile('transparent')).code!;

  test.each([1000, 60_000, 4_000_000])('behind a map of %i entries nothing differs', (entries) => {
    const other = compile(sceneObject(behind(entries)), 'main', profile('transparent')).code!;
    const side = (code: typeof one) => ({ ...code, code: code.index.get('main/main') });
    const rows = compareListings(side(one), side(other));
    expect(rows.filter((row) => !row.same).map(differing)).toEqual([]);
    const marks = rows.flatMap((row) => row.lines.map(({ mark }) => mark));
    expect(marks).toContain('placement');
  });

  test('an address of another map is a difference', () => {
    const scene = (map: string): Scene => ({
      programs: { main: `r1 = map[name:${map}]\nr0 = 0\nexit` },
      arrays: { a: 1, b: 1 },
    });
    const [a, b] = ['a', 'b'].map((map) => {
      const { code } = compile(sceneObject(scene(map)), 'main', profile('transparent'));
      return { ...code!, code: code!.index.get('main/main') };
    });
    const rows = compareListings(a!, b!);
    expect(rows.find((row) => row.rewritten)!.same).toBe(false);
  });

  test('a jump to another place is a difference, one over longer code is none', () => {
    const jumping = (body: string): Scene => ({ programs: { main: body } });
    const code = (body: string, isa = 'rv64imac') => {
      const compiled = compile(sceneObject(jumping(body)), 'main', profile('transparent', '6.12', isa));
      return { ...compiled.code!, code: compiled.code!.index.get('main/main') };
    };
    const text = (to: string) => `
      r0 = *(u32 *)(r1 +0)
      if r0 == 1 goto ${to}
      r2 = 70000
      r0 += r2
a:    r0 += 1
b:    r0 += 2
      exit`;
    const branch = (rows: readonly CompareRowView[]) => rows.find((row) => row.left?.text.startsWith('if'))!;
    expect(branch(compareListings(code(text('a')), code(text('b')))).same).toBe(false);
    const isa = branch(compareListings(code(text('b')), code(text('b'), 'rv64ima')));
    expect(isa.lines.at(-1)!.mark).toBe('placement');
  });
});

describe('other differences', () => {
  test('two encodings of one instruction are told apart by their names', () => {
    const object = example('hierarchy');
    const view = compared(object, 'entry', profile('transparent'), profile('transparent', '6.12', 'rv64ima'));
    const move = view.rows.find((row) => row.left?.text === 'r6 = r1')!;
    expect(move).toMatchObject({ same: false, delta: 2 });
    expect(differing(move)).toEqual(['mv s1, a0 (c.mv) ≠ mv s1, a0 (addi)']);
    // The map lies at one address on both sides, so what differs in loading it is no matter of placement.
    const load = view.rows.find((row) => row.left?.text.startsWith('r1 = map'))!;
    expect(differing(load)).toEqual(['slli a0, a0, 13 (c.slli) ≠ slli a0, a0, 13 (slli)']);
  });

  test('kernels that rewrite a program differently are aligned by its own instructions', () => {
    const object = example('tailcall_dispatch');
    const view = compared(object, 'dispatch', profile('transparent'), profile('transparent', '7.2'));
    const rewritten = view.rows.filter((row) => row.rewritten);
    expect(rewritten.map((row) => [row.left!.text, row.right!.text])).toEqual([
      ['r1 += 264', 'r1 += 304'],
      ['r1 += 264', 'r1 += 304'],
    ]);
    expect(rewritten[0]!.left!.rule).toMatch(/^map-lookup-inline: /);
  });

  test('names of functions and programs that are not there are refused with those that are', () => {
    const object = example('hierarchy');
    const side = compile(object, 'entry', profile('transparent'));
    expect(() =>
      compareView({ object, program: 'entry', function: 'nobody', left: side, right: side }),
    ).toThrow("entry has no function 'nobody'; it has entry/entry, entry/call_entry.");
    expect(() => compile(object, 'nobody', profile('transparent'))).toThrow(/holds no program 'nobody'/);
  });
});
