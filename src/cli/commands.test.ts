import { describe, expect, test } from 'vitest';
import { recordedObject } from '../engine/loader/testing/recorded';
import { cli } from './testing/run';

const FRAME = 'hex:' + '00'.repeat(60);

interface Run {
  readonly retval: number;
  readonly stop: {
    readonly reason: string;
    readonly text: string;
    readonly pc?: string;
    readonly insn?: number;
  };
  readonly tailCalls: number;
  readonly instructions: number;
  readonly maps: Readonly<Record<string, readonly (readonly [string, string])[]>>;
  readonly printk: readonly string[];
  readonly events: readonly object[];
  readonly eventsDropped: number;
  readonly checks: readonly { readonly name: string; readonly ok: boolean }[];
}

describe('run', () => {
  test('the hierarchy: 34 entries and 33 tail calls, under both global schemes', async () => {
    for (const tcc of ['transparent', 'stack-v6']) {
      const { code, json } = await cli(['run', 'examples/hierarchy.o', 'entry', '--tcc', tcc, '--json']);
      const run = json<Run>();
      expect(code).toBe(0);
      expect(run).toMatchObject({ retval: 34, tailCalls: 33, stop: { reason: 'exit' } });
      // `entries` and `attempts`
      expect(run.maps['hierarch.bss']).toEqual([['00000000', '22000000000000004400000000000000']]);
      expect(run.checks.every((check) => check.ok)).toBe(true);
    }
  });

  test('has the keys of the contract, all of them', async () => {
    const { json } = await cli([
      'run',
      'examples/tailcall_dispatch.o',
      'dispatch',
      '--data',
      FRAME,
      '--json',
    ]);
    const keys = [
      ...[
        'retval',
        'dataOut',
        'ctxOut',
        'instructions',
        'cycles',
        'loads',
        'stores',
        'stackBytes',
        'tailCalls',
      ],
      ...['helperCalls', 'maps', 'printk', 'events', 'checks', 'stop'],
      'eventsDropped',
    ];
    expect(Object.keys(json<object>()).sort()).toEqual(keys.sort());
  });

  test('a run that never ends is stopped by the limit: exit code 1 and where it was', async () => {
    const argv = [
      'run',
      'examples/hierarchy.o',
      'entry',
      '--tcc',
      'stack-v3',
      '--max-insns',
      '5_000',
      '--json',
    ];
    const { code, json } = await cli(argv);
    expect(code).toBe(1);
    const run = json<Run>();
    expect(run).toMatchObject({ retval: null, instructions: 5000, stop: { reason: 'limit' } });
    expect(run.stop.pc).toMatch(/^0xffffffff7/);
  });

  test('prints a table for people, and says on standard error which packet it took', async () => {
    const { code, out, err } = await cli(['run', 'examples/bpf2bpf_helpers.o', 'measure']);
    expect(code).toBe(0);
    expect(err).toBe('No --data given: using a UDP packet of 64 bytes.\n');
    expect(out).toMatch(/^measure: measure returned 0/);
    expect(out).toMatch(/\n {2}helper calls {3}4\n/);
    expect(out).toMatch(/\ntrace_printk\n {2}packet of 64 bytes at \d+ ns\n/);
    expect(out).toMatch(/bpf_ktime_get_ns\(\) = 0x/);
  });

  test('--map fills maps and prog arrays; --repeat runs again on the same maps', async () => {
    const argv = ['run', 'examples/tailcall_dispatch.o', 'dispatch', '--data', FRAME, '--json'];
    const world = {
      files: {
        'slots.json': '[[0, "on_arp"], [1, "on_arp"], [2, "on_arp"]]',
        'counts.json': '[["00000000", "0500000000000000"]]',
      },
    };
    const { code, json } = await cli(
      [...argv, '--map', 'types=slots.json', '--map', 'counters=counts.json', '--repeat', '3'],
      world,
    );
    expect(code).toBe(0);
    expect(json<Run>().maps['counters']![0]).toEqual(['00000000', '0800000000000000']);
  });

  test('a map that is read-only to programs is set before they are loaded', async () => {
    // cfg_limit is 1000 and counter 5: with a limit of 0 the program prints it and drops the packet.
    const object = recordedObject('globals.v3.o');
    const info = await cli(['run', 'globals.v3.o', 'globals_main', '--json'], {
      files: { 'globals.v3.o': object },
    });
    const [[key, value]] = info.json<Run>().maps['globals.rodata'] as [[string, string]];
    const files = { 'globals.v3.o': object, 'ro.json': JSON.stringify([[key, `00000000${value.slice(8)}`]]) };
    const argv = ['run', 'globals.v3.o', 'globals_main', '--json', '--map', 'globals.rodata=ro.json'];
    const { code, json } = await cli(argv, { files });
    expect(code).toBe(0);
    expect(json<Run>()).toMatchObject({ retval: 1, printk: ['limit 0 name0 103'] });
  });

  test('a kernel function that is modelled is called', async () => {
    const files = { 'loops.v4.o': recordedObject('loops.v4.o') };
    for (const kernel of ['6.12', '7.2']) {
      const argv = [
        'run',
        'loops.v4.o',
        'loop_iter',
        '--kernel',
        kernel,
        '--ctx',
        `hex:${'00'.repeat(16)}`,
        '--json',
      ];
      const { code, json } = await cli(argv, { files });
      expect(code).toBe(0);
      // 0 + 3 + … + 14 * 3
      expect(json<Run>()).toMatchObject({ retval: 315, ctxOut: '00000000000000003b01000000000000' });
    }
  });

  test('a helper that is not modelled stops the run, with the BPF instruction that calls it', async () => {
    const files = { 'timer.v3.o': recordedObject('timer.v3.o') };
    const { code, json } = await cli(['run', 'timer.v3.o', 'timer_arm', '--json'], { files });
    expect(code).toBe(1);
    expect(json<Run>().stop).toMatchObject({
      reason: 'unknown-helper',
      text: expect.stringMatching(/^bpf_timer_init is a helper/) as string,
      function: 'timer_arm/timer_arm',
      insnText: expect.stringMatching(/^call bpf_timer_init#/) as string,
    });
  });

  test('keeps every line that the program prints, and says how many events are not kept', async () => {
    // The program prints a line each time from the 996th run on.
    const files = { 'globals.v3.o': recordedObject('globals.v3.o') };
    const argv = ['run', 'globals.v3.o', 'globals_main', '--repeat'];
    const run = (await cli([...argv, '22000', '--json'], { files })).json<Run>();
    expect(run.printk).toHaveLength(21_005);
    // A call of the helper for each line.
    expect(run.events.length + run.eventsDropped).toBe(21_005);
    expect(run.eventsDropped).toBeGreaterThan(0);
    const { out } = await cli([...argv, '1200'], { files });
    expect(out.split('\n').length).toBeLessThan(300);
    expect(out).toMatch(/\n {2}105 more; --json prints them\n/);
  });

  test('is the same every time', async () => {
    const argv = ['run', 'examples/bpf2bpf_helpers.o', 'measure', '--json'];
    expect((await cli(argv)).out).toBe((await cli(argv)).out);
  });
});

describe('info', () => {
  test('--json', async () => {
    const { code, json, err } = await cli(['info', 'examples/hierarchy.o', '--json']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(json()).toMatchObject({
      programs: [
        { name: 'entry', section: 'tc', type: 'sched_cls', instructions: 26, subprograms: ['call_entry'] },
      ],
      maps: [{ name: 'jump_table', type: 'prog_array' }, { name: 'hierarch.bss' }],
      globals: [{ name: 'entries', offset: 0, size: 8 }, { name: 'attempts' }],
      externs: [],
    });
  });
});

describe('jit', () => {
  test('source, BPF and native side by side, frame layout, sizes', async () => {
    const { code, out } = await cli(['jit', 'examples/hierarchy.o', 'entry']);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^entry\/entry at 0x[0-9a-f]+: \d+ BPF slots, \d+ bytes native\n {2}prologue 24, body \d+, epilogue \d+ bytes\n/,
    );
    expect(out).toMatch(/fp-8 = sp\+24 {3}saved ra {2}8 bytes/);
    expect(out).toMatch(/ {4}8 {2}13081002 {2}li a6, 33/);
    expect(out).toMatch(
      /6: r1 = r6 +; below = call_entry\(skb\); @ hierarchy\.c:\d+\n.* 7: call pc\+\d+#call_entry\n/,
    );
    expect(out).toMatch(
      /r2 = map\[name:jump_table\] +; bpf_tail_call\(skb, &jump_table, 0\); @ hierarchy\.c/,
    );
  });

  test('--json and --raw', async () => {
    interface Jit {
      readonly functions: readonly {
        readonly name: string;
        readonly image: string;
        readonly offsets: number[];
      }[];
    }
    const { json } = await cli([
      'jit',
      'examples/hierarchy.o',
      'entry',
      '--tcc',
      'native',
      '--kernel',
      '7.3',
      '--json',
    ]);
    const { functions } = json<Jit>();
    expect(functions.map((f) => f.name)).toEqual(['entry', 'call_entry']);
    // Two entry nops.
    expect(functions[0]!.image.slice(0, 16)).toBe('1300000013000000');
    expect(Object.keys(functions[0]!)).toEqual(
      expect.arrayContaining(['name', 'address', 'image', 'offsets', 'frame']),
    );
  });
});

describe('jit of a whole object', () => {
  test('says on standard error which programs it leaves out, and why', async () => {
    const bytes = Buffer.from(recordedObject('loops.v4.o'));
    for (let at = bytes.indexOf('bpf_iter_num_new'); at >= 0; at = bytes.indexOf('bpf_iter_num_new')) {
      bytes.write('bpf_iter_odd_new', at);
    }
    const { code, out, err } = await cli(['jit', 'loops.v4.o'], { files: { 'loops.v4.o': bytes } });
    expect(code).toBe(0);
    expect(out).toMatch(/^loop_helper\/loop_helper at /);
    expect(err).toMatch(/^loop_iter is left out: Program loop_iter .*bpf_iter_odd_new at instruction 6.*\n$/);
  });

  test('of which nothing can be compiled is bad input, told in one line with the first reason', async () => {
    const files = { 'struct_ops_ca.v3.o': recordedObject('struct_ops_ca.v3.o') };
    const { code, out, err } = await cli(['jit', 'struct_ops_ca.v3.o', '--json'], { files });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(
      /^hartbeat: no program of struct_ops_ca.v3.o can be compiled; \w+ is left out: .*\n$/,
    );
  });
});

describe('trace', () => {
  const trace = async (by: string, ...more: string[]) =>
    cli(['trace', 'examples/hierarchy.o', 'entry', '--data', FRAME, '--by', by, ...more]);

  test('one line for each native instruction, with what it changes', async () => {
    const { code, out, err } = await trace('native');
    const { json } = await cli(['run', 'examples/hierarchy.o', 'entry', '--data', FRAME, '--json']);
    const lines = out.trimEnd().split('\n');
    expect(code).toBe(0);
    expect(err).toMatch(/entry: entry returned 34/);
    expect(lines).toHaveLength(json<Run>().instructions);
    expect(lines[2]).toMatch(
      /^ +\d+ {2}0xffffffff7[0-9a-f]+ {2}bpf_prog_[0-9a-f]+_entry\+0x8 +li a6, 33 +a6=0x21$/,
    );
    expect(lines[4]).toMatch(/sd ra, 24\(sp\) +\[0x[0-9a-f]+\]=[0-9a-f]{16}$/);
  });

  test('by BPF instruction, source line and event; as JSON one value', async () => {
    const bpf = (await trace('bpf')).out.split('\n');
    expect(bpf[1]).toMatch(/entry\/entry 0 +r6 = r1 +R6=0x/);
    const line = (await trace('line')).out;
    expect(line).toMatch(/hierarchy\.c:\d+ +entries\+\+;/);
    const events = (await trace('event')).out.trimEnd().split('\n');
    expect(events.filter((text) => text.includes('attempts a tail call'))).toHaveLength(68);
    expect(events.filter((text) => text.includes('tail call taken'))).toHaveLength(33);
    expect(events.filter((text) => text.includes('the count is used up'))).toHaveLength(35);
    const { json } = await trace('event', '--json');
    expect(json<unknown[]>()).toHaveLength(events.length);
  });

  test('by cycle: what each stage holds, and what retires', async () => {
    const { code, out } = await trace('cycle');
    expect(code).toBe(0);
    const lines = out.trimEnd().split('\n');
    expect(lines[2]).toMatch(
      /^ {7}3 {2}IF sd s1, 8\(sp\) +ID sd s0, 16\(sp\) +EX sd ra, 24\(sp\) +MEM addi sp, sp, -32 +WB li a6, 33 +a6=0x21$/,
    );
    expect(lines[12]).toMatch(/^ {6}13 {2}IF\* sd .* ID\* addi a1, a1, 1 +EX \(load-use\) +MEM ld a1/);
    const json = (await trace('cycle', '--json')).json<{ cycle: number; retired: { n: number }[] }[]>();
    expect(json).toHaveLength(lines.length);
    expect(json[2]).toMatchObject({
      cycle: 3,
      stages: [
        { stage: 'IF' },
        { stage: 'ID' },
        { stage: 'EX' },
        { stage: 'MEM' },
        { stage: 'WB', stalled: false },
      ],
      retired: [{ n: 2, text: 'li a6, 33', registers: { a6: '0x21' } }],
    });
    expect((await trace('cycle', '--timing', 'none')).code).toBe(2);
  });
});

describe('compare', () => {
  test('agrees where the schemes do', async () => {
    const argv = [
      'compare',
      'examples/hierarchy.o',
      'entry',
      '--data',
      FRAME,
      '--with',
      'tcc=stack-v6',
      '--with',
      'kernel=7.3',
    ];
    const { code, out } = await cli(argv);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^profile .*\n6\.12 transparent rv64imac +34 .*\n6\.12 stack-v6 rv64imac +34 .*\n7\.3 transparent/,
    );
    const { json } = await cli([...argv, '--json']);
    expect(json<{ profile: { tcc: string } }[]>().map((run) => run.profile.tcc)).toEqual([
      'transparent',
      'stack-v6',
      'transparent',
    ]);
  });

  test('exits 1 where they do not', async () => {
    const argv = [
      'compare',
      'examples/budget_question.o',
      'program1',
      '--data',
      FRAME,
      '--with',
      'tcc=stack-v3',
    ];
    const { code, out } = await cli(argv);
    expect(code).toBe(1);
    expect(out).toMatch(/6\.12 stack-v3 rv64imac: retval differs\n/);
  });
});
