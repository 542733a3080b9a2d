import { describe, expect, test } from 'vitest';
import type { CompareView } from '../engine/debugger/views';
import { cli } from './testing/run';

const HIERARCHY = ['examples/hierarchy.o', 'entry'];
const FRAME = ['--data', 'hex:' + '00'.repeat(60)];

describe('compare', () => {
  test('says of each run that did not end that it did not, and exits 1 even where all of them did not', async () => {
    const argv = ['compare', ...HIERARCHY, ...FRAME, '--tcc', 'stack-v1', '--with', 'tcc=stack-v3'];
    const { code, out } = await cli([...argv, '--max-insns', '50000']);
    expect(code).toBe(1);
    expect(out).toMatch(/^6\.12 stack-v1 rv64imac +- +50,000 /m);
    expect(out).toContain('6.12 stack-v1 rv64imac: The limit of 50000 instructions is reached.\n');
    expect(out).toContain('6.12 stack-v3 rv64imac: The limit of 50000 instructions is reached.\n');
  });

  test('names the profile that refuses the program: exit code 2, one line', async () => {
    const { code, out, err } = await cli(['compare', ...HIERARCHY, ...FRAME, '--with', 'tcc=mainline']);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^hartbeat: 6\.12 mainline rv64imac: .*tail_calls are not allowed.*\n$/);
  });

  test('gives the runs with their profiles as JSON, the base first, each with the keys of run', async () => {
    const run = await cli(['run', ...HIERARCHY, ...FRAME, '--json']);
    const compared = await cli([
      ...['compare', ...HIERARCHY, ...FRAME, '--with', 'kernel=7.3,tcc=native,isa=rv64ima_zba', '--json'],
    ]);
    const runs = compared.json<Record<string, unknown>[]>();
    expect(runs.map(({ profile }) => profile)).toEqual([
      { kernel: '6.12', tcc: 'transparent', isa: 'rv64imac' },
      { kernel: '7.3', tcc: 'stack-v6', isa: 'rv64ima_zba' },
    ]);
    const { profile, ...base } = runs[0]!;
    expect(profile).toBeDefined();
    expect(base).toEqual(run.json());
    expect(Object.keys(runs[1]!).sort()).toEqual(Object.keys(runs[0]!).sort());
  });
});

describe('jit --with', () => {
  test('shows both sides instruction by instruction', async () => {
    const { code, out } = await cli(['jit', ...HIERARCHY, '--with', 'tcc=stack-v6']);
    expect(code).toBe(0);
    await expect(out).toMatchFileSnapshot('jit-with.golden.txt');
  });

  test('takes several profiles, and every program of an object that names none', async () => {
    const { out } = await cli([
      'jit',
      'examples/tailcall_dispatch.o',
      '--with',
      'kernel=7.2',
      '--with',
      'isa=rv64ima',
    ]);
    const heads = out.match(/^ +left: .*$/gm);
    expect(heads).toHaveLength(8);
    expect(new Set(heads).size).toBe(2);
    expect(out).toMatch(/^14: r1 \+= 264 \| r1 \+= 304 +addi a0, a0, 264 +≠ {2}addi a0, a0, 304 +4$/m);
    expect(out).toMatch(/^0: r6 = r1 +mv s1, a0 \(c\.mv\) +≠ {2}mv s1, a0 \(addi\) +2 4 \+2$/m);
  });

  test('has the comparisons in a key of their own', async () => {
    const { json } = await cli(['jit', ...HIERARCHY, '--with', 'tcc=stack-v6', '--json']);
    const { functions, comparisons } = json<{ functions: { image: string }[]; comparisons: CompareView[] }>();
    expect(comparisons.map((view) => view.function)).toEqual(['entry/entry', 'entry/call_entry']);
    for (const [i, view] of comparisons.entries()) {
      const bytes = view.rows.flatMap((row) => row.lines.flatMap(({ left }) => left?.bytes ?? ''));
      expect(functions[i]!.image.startsWith(bytes.join(''))).toBe(true);
    }
    const alone = await cli(['jit', ...HIERARCHY, '--json']);
    expect(Object.keys(alone.json<object>())).toEqual(['functions', 'rules']);
  });

  test.each([
    ['tcc=mainline', /--with 6\.12 mainline rv64imac: .*tail_calls are not allowed/],
    ['kernel=7.2,tcc=stack-v3', /TCC scheme 'stack-v3' is not defined for kernel 7\.2/],
    ['speed=fast', /--with takes kernel=…, tcc=…, isa=…/],
  ])('%s is refused with the reason', async (words, line) => {
    const { code, out, err } = await cli(['jit', ...HIERARCHY, '--with', words]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(line);
  });
});
