import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readRecords } from './records';
import { formatFailure, formatSummary } from './report';
import { checkImages, runVectors } from './images';

const GOLDEN = path.resolve('test/golden/jit');
const KERNELS = ['6.12.107-nozb', '7.2.13-zba_zbb', '7.2.13-zacas'];

describe('recorded images', () => {
  it('are what our JIT makes, for every kernel, scheme and set of extensions of the harness', () => {
    const report = runVectors([path.join(GOLDEN, 'harness.jsonl.gz')], checkImages);
    expect(report.failures.map(formatFailure)).toEqual([]);
    expect(report.notComparable).toBe(0);
    expect(report.compared.get('functions')).toBeGreaterThan(1300);
    expect(report.compared.get('trampolines')).toBeGreaterThan(90);
    expect(report.compared.get('text pokes')).toBe(7);
  });

  it.each(KERNELS)('of kernel %s are what our JIT makes', (kernel) => {
    const report = runVectors([path.join(GOLDEN, kernel, 'cases.jsonl.gz')], checkImages);
    expect(report.failures.map(formatFailure)).toEqual([]);
    expect(report.compared.get('functions')).toBeGreaterThan(25);
    expect(report.passed).toBeGreaterThan(20);
  });
});

describe('a difference', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'hartbeat-vectors-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  /** The first harness program, changed. */
  function changed(change: (record: { funcs: { image: string }[] }) => void): string {
    const [first] = readRecords(path.join(GOLDEN, 'harness.jsonl.gz'));
    const file = path.join(directory, 'changed.jsonl');
    const keys = first!.fields.keys();
    const record = JSON.parse(
      JSON.stringify(Object.fromEntries(keys.map((key) => [key, first!.fields.raw(key)]))),
    );
    change(record);
    writeFileSync(file, JSON.stringify(record));
    return file;
  }

  it('names the record, the function and both instructions', () => {
    const file = changed((record) => {
      const { image } = record.funcs[0]!;
      // The counter's initialisation.
      record.funcs[0]!.image = image.replace('13081002', '1308f001');
    });
    const report = runVectors([file], checkImages);
    expect(report.failed).toBe(1);
    const text = formatFailure(report.failures[0]!);
    expect(text).toContain('ours:');
    expect(text).toMatch(/ours: .* li a6, 33/);
    expect(text).toMatch(/recorded: .* li a6, 31/);
    expect(text).toContain('in the prologue, made by tcc/init');
    expect(formatSummary(report).trimEnd().split('\n').slice(-2)).toEqual([
      '0 not comparable',
      '0 passed, 1 failed',
    ]);
  });

  it('in length is one', () => {
    const report = runVectors([changed((record) => (record.funcs[0]!.image += '0000'))], checkImages);
    expect(report.failures[0]?.detail).toContain('(the code has ended)');
  });
});
