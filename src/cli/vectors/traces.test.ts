import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Fields } from './fields';
import { checkImages, runVectors } from './images';
import { readRecords, type VectorRecord } from './records';
import { formatFailure, ReportBuilder } from './report';
import { checkRuns } from './runs';
import { checkTraces } from './traces';

const GOLDEN = path.resolve(import.meta.dirname, '../../../test/golden/vectors');
const TRACES = path.join(GOLDEN, '6.12.107-nozb', 'traces.jsonl.gz');
const SCENARIOS = path.join(GOLDEN, 'tailcall-semantics.jsonl.gz');

describe('traces of kernels', () => {
  it.each([
    ['6.12.107-nozb', 8_000],
    ['7.2.13-zba_zbb', 8_000],
  ])('of %s: every pc, instruction and register of our machine agrees', (kernel, steps) => {
    const report = runVectors([path.join(GOLDEN, kernel, 'traces.jsonl.gz')], checkTraces);
    expect(report.failures.map(formatFailure)).toEqual([]);
    expect(report.notComparable).toBe(0);
    expect(report.compared.get('trace steps')).toBeGreaterThan(steps);
    expect(report.compared.get('trampolines')).toBeGreaterThanOrEqual(10);
    expect([...report.leftOut.keys()]).toEqual([
      'image taken from the record (calls kfuncs: argument sizes are not recorded)',
    ]);
  });
});

type Step = [pc: string, bytes: string, registers: Record<string, string>, call?: Record<string, unknown>];
interface Run {
  readonly trace: {
    entry: string;
    init: Record<string, string>;
    steps: Step[];
    exit: Record<string, string>;
  };
}

describe('a trace that is changed', () => {
  const records = [...readRecords(TRACES)];

  /** A record of the selection with its last trace changed, and the failures that this gives. */
  function changed(name: string, change: (run: Run) => void): readonly string[] {
    const record = records.find((candidate) => candidate.name === name);
    if (!record) throw new Error(`${name} is not in the selection`);
    const steps = record.fields.list('steps').map((step): unknown => JSON.parse(JSON.stringify(step)));
    change(steps.findLast((step) => (step as Partial<Run>).trace !== undefined) as Run);
    const altered: VectorRecord = { ...record, fields: new Fields({ name, steps }, name) };
    return checkTraces(altered).failures.map(formatFailure);
  }

  it('agrees as it is', () => {
    expect(changed('tail.self_limit.plain', () => undefined)).toEqual([]);
  });

  it('differs by a register, with the step, both values and the BPF instruction', () => {
    const [failure, ...more] = changed('tail.self_limit.plain', ({ trace }) => {
      const step = trace.steps.find(([, , registers]) => registers['a6'] !== undefined)!;
      step[2]['a6'] = '0x20';
    });
    expect(more).toEqual([]);
    expect(failure).toMatch(/step 2 of \d+, 0x[0-9a-f]+ {2}li a6, 33/);
    expect(failure).toContain('in the frame code of');
    expect(failure).toContain('a6: ours 0x21, recorded 0x20');
  });

  it('differs by a register that the step does not list', () => {
    const [failure] = changed('tail.self_limit.plain', ({ trace }) => {
      delete trace.steps[2]![2]['a6'];
      trace.init['a6'] = '0x5';
    });
    expect(failure).toContain('a6: ours 0x21, recorded 0x5');
  });

  it('differs by an instruction', () => {
    const [failure] = changed('tail.self_limit.plain', ({ trace }) => (trace.steps[2]![1] = '1308f001'));
    expect(failure).toContain('instruction: ours 13081002  li a6, 33, recorded 1308f001');
  });

  it('differs by where it goes', () => {
    const [failure] = changed('tail.self_limit.plain', ({ trace }) => trace.steps.splice(5, 1));
    expect(failure).toContain('pc: ours');
    const [atEnd] = changed('tail.self_limit.plain', ({ trace }) => (trace.exit['a0'] = '0x77'));
    expect(atEnd).toContain('a0 after the last step');
  });

  it('differs by a value that it stored and loads again', () => {
    const [failure] = changed('tail.self_limit.plain', ({ trace }) => {
      const restore = trace.steps.findLast(([, , registers]) => registers['s0'] !== undefined)!;
      restore[2]['s0'] = '0x1234';
    });
    expect(failure).toContain('s0: ours');
  });

  it('differs in a trampoline, which our JIT makes from the programs attached', () => {
    const [failure] = changed('tramp.fentry_test1.fentry', ({ trace }) => {
      const clears = trace.steps.find(([, bytes]) => bytes === '233804fc')!;
      clears[1] = '233404fc';
    });
    expect(failure).toContain('in a trampoline, made by trampoline/cookie');
    expect(failure).toContain('instruction: ours 233804fc  sd zero, -48(s0), recorded 233404fc');
  });

  it('differs by the target of a call that leaves BPF code', () => {
    const [failure] = changed('tail.helper_only_after', ({ trace }) => {
      const step = trace.steps.find(([, , , call]) => call !== undefined)!;
      step[3]!['call'] = '0xffffffff80000000';
    });
    expect(failure).toContain('target of the call of');
  });

  it('is stepped as far as it goes when it was cut', () => {
    const failures = changed('tail.self_limit.plain', ({ trace }) => {
      trace.steps.length = 20;
      Object.assign(trace, { exit: undefined, incomplete: true });
    });
    expect(failures).toEqual([]);
  });
});

describe('tail call scenarios', () => {
  const records = [...readRecords(SCENARIOS)];
  const judged = (check: typeof checkRuns) => {
    const report = new ReportBuilder();
    for (const record of records) report.add(check(record));
    return report.report();
  };

  it('have the images that our JIT makes', () => {
    const { failures, passed, compared } = judged(checkImages);
    expect(failures.map(formatFailure)).toEqual([]);
    expect([passed, compared.get('functions')]).toEqual([184, 634]);
  });

  it('count the same calls, instructions and accesses, with our images and the recorded ones', () => {
    const { failures, passed } = judged(checkRuns);
    expect(failures.map(formatFailure)).toEqual([]);
    expect(passed).toBe(184);
  });

  it('that count otherwise are told, key by key', () => {
    const [record] = records;
    const fields = Object.fromEntries(record!.fields.keys().map((key) => [key, record!.fields.raw(key)]));
    const expected = { ...(fields['expect'] as object), loads: 1, max_stack_bytes: 7 };
    const altered = { ...record!, fields: new Fields({ ...fields, expect: expected }, 'altered') };
    expect(checkRuns(altered).failures.map(({ detail }) => detail)).toEqual([
      'loads: expected 1, got 270\nmax_stack_bytes: expected 7, got 32',
      'loads: expected 1, got 270\nmax_stack_bytes: expected 7, got 32',
    ]);
  });
});
