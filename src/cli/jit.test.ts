import { describe, expect, test } from 'vitest';
import { FAULTS } from '../engine/profile/faults';
import { RULES } from '../engine/jit/rules';
import { cli } from './testing/run';

const HIERARCHY = ['examples/hierarchy.o', 'entry'];
const FRAME = ['--data', 'hex:' + '00'.repeat(60)];

interface Jit {
  readonly functions: readonly {
    readonly name: string;
    readonly image: string;
    readonly offsets: readonly number[];
    readonly prologueLen: number;
    readonly finalLen: number;
    readonly pieces: readonly { from: number; to: number; rule: string; insn: number }[];
    readonly passes?: readonly { kind: string; prologue: number; total: number; sizes: number[] }[];
  }[];
  readonly rules: Readonly<Record<string, string>>;
}

interface Run {
  readonly profile: { readonly cfi?: boolean; readonly faults?: readonly string[] };
  readonly retval: number | null;
  readonly tailCalls: number;
  readonly stop: { readonly reason: string };
}

describe('why is this instruction here', () => {
  test('--why names the rule of every native instruction and says what the rules mean', async () => {
    const { code, out } = await cli(['jit', ...HIERARCHY, '--why']);
    expect(code).toBe(0);
    expect(out).toMatch(/^ +8 +13081002 +li a6, 33 +tcc\/init +\[prologue\]$/m);
    expect(out).toMatch(/addi a6, a6, -1 +tcc\/take$/m);
    expect(out).toContain(`\nRules:\n`);
    expect(out).toContain(`  ${'tcc/take'.padEnd(8)}`);
    expect(out).toContain(RULES['tcc/take']);
    const lines = out.split('\n').filter((line) => /^ +[0-9a-f]+ {2}([0-9a-f]{4}){1,2} /.test(line));
    expect(lines.length).toBeGreaterThan(60);
    expect(lines.filter((line) => !/ [a-z]+[a-z0-9-]*\/[a-z0-9-]+/.test(line))).toEqual([]);
  });

  test('--json has the pieces with rule and BPF slot, without holes, and the meaning of every rule', async () => {
    const { functions, rules } = (await cli(['jit', ...HIERARCHY, '--json'])).json<Jit>();
    for (const { pieces, finalLen, passes } of functions) {
      expect(pieces.map(({ from }) => from)).toEqual([0, ...pieces.slice(0, -1).map(({ to }) => to)]);
      expect(pieces.at(-1)!.to).toBe(finalLen);
      for (const { rule } of pieces) expect(rules[rule]).toMatch(/\.$/);
      expect(passes).toBeUndefined();
    }
  });
});

describe('--passes', () => {
  test('shows the size of every BPF instruction in every pass, until it converges', async () => {
    const { code, out } = await cli(['jit', 'examples/tailcall_dispatch.o', '--passes']);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^ {2}Passes \(a dot: as before; the image was allocated after pass 2\):\n +dry +1 +2 .*final {2}bytes in each pass\n/m,
    );
    // A tail call's branches are relaxed as long as the distance is a guess.
    const row = /^ +(\d+) +(\d+) +\..* \d+: tail_call$/m.exec(out);
    expect(Number(row?.[1])).toBeGreaterThan(Number(row?.[2]));
    expect(out).toMatch(/^ +\d+( +\d+)+ {2}total$/m);
  });

  test('--json: the last pass adds up to the image, and the one before it has the same size', async () => {
    const argv = ['jit', ...HIERARCHY, '--json', '--passes'];
    for (const fn of (await cli(argv)).json<Jit>().functions) {
      const passes = fn.passes!;
      expect(passes[0]!.kind).toBe('dry-run');
      const last = passes.at(-1)!;
      expect(last).toMatchObject({ kind: 'final', total: fn.finalLen, prologue: fn.prologueLen });
      expect(passes.at(-2)!.total).toBe(last.total);
      let at = last.prologue;
      expect(fn.offsets).toEqual(last.sizes.map((size) => (at += size)));
    }
  });
});

describe('--fault', () => {
  test('help faults lists every past bug with its sentence', async () => {
    const { code, out } = await cli(['help', 'faults']);
    expect(code).toBe(0);
    for (const [name, { fixed, sentence }] of Object.entries(FAULTS)) {
      expect(out).toMatch(new RegExp(`^ {2}${name} +${fixed.replace('.', '\\.')} +`, 'm'));
      expect(out).toContain(sentence);
    }
  });

  test('seeds a past bug: the code changes, and so does the run', async () => {
    const sound = (await cli(['jit', ...HIERARCHY, '--json'])).json<Jit>().functions[0]!;
    const faulty = (await cli(['jit', ...HIERARCHY, '--json', '--fault', 'tail-call-limit-32'])).json<Jit>();
    expect(sound.image).toContain('13081002'); // li a6, 33
    expect(faulty.functions[0]!.image).toBe(sound.image.replace('13081002', '13080002'));
    const run = await cli(['run', ...HIERARCHY, ...FRAME, '--json', '--fault', 'tail-call-limit-32']);
    expect(run.json<Run>()).toMatchObject({ retval: 33, tailCalls: 32 });
  });

  test('exec shows 32-bit arithmetic of 2019', async () => {
    // w0 = 2147483647; w0 += 1; exit
    const world = { stdin: 'b4000000ffffff7f 0400000001000000 9500000000000000' };
    expect((await cli(['exec'], world)).out).toBe('0x80000000\n');
    expect((await cli(['exec', '--fault', 'alu32-sign-extends'], world)).out).toBe('0xffffffff80000000\n');
  });

  test('compare --with fault=…: faults add up, none takes them away', async () => {
    const argv = ['compare', ...HIERARCHY, ...FRAME, '--json', '--fault', 'result-not-sign-extended'];
    const { code, out } = await cli([...argv, '--with', 'fault=tail-call-limit-32', '--with', 'fault=none']);
    expect(code).toBe(1);
    const runs = JSON.parse(out) as Run[];
    expect(runs.map(({ profile, tailCalls }) => [profile.faults, tailCalls])).toEqual([
      [['result-not-sign-extended'], 33],
      [['result-not-sign-extended', 'tail-call-limit-32'], 32],
      [undefined, 33],
    ]);
  });

  test('an unknown one is refused with the list', async () => {
    const { code, err } = await cli(['jit', ...HIERARCHY, '--fault', 'toString']);
    expect(code).toBe(2);
    expect(err).toMatch(/^hartbeat: Unknown fault 'toString'; choose from alu32-logic-keeps-upper, .*\n$/);
  });
});

describe('--cfi', () => {
  test('a type word stands before the entry, and 7.2 takes all tail calls', async () => {
    const { functions } = (
      await cli(['jit', ...HIERARCHY, '--kernel', '7.2', '--cfi', '--json'])
    ).json<Jit>();
    expect(functions[0]!.image).toMatch(/^811842d91300000013000000/);
    expect(functions[1]!.image).toMatch(/^a909479e1300000013000000/);
    const run = await cli(['run', ...HIERARCHY, ...FRAME, '--kernel', '7.2', '--cfi', '--json']);
    expect(run.json<Run>()).toMatchObject({ retval: 34, tailCalls: 33, stop: { reason: 'exit' } });
  });

  test('with 6.12 a tail call lands behind the instruction that makes the frame, as that kernel has it: found by the checks', async () => {
    const run = (await cli(['run', ...HIERARCHY, ...FRAME, '--cfi', '--json'])).json<Run>();
    expect(run.stop.reason).toBe('check');
  });

  test('6.6 has none', async () => {
    const { code, err } = await cli(['jit', ...HIERARCHY, '--kernel', '6.6', '--cfi']);
    expect(code).toBe(2);
    expect(err).toMatch(/^hartbeat: Kernel 6\.6 has no kCFI .*choose one of 6\.12, 7\.2, 7\.3.*\n$/);
  });
});
