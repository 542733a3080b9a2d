import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRecords } from './records';
import { formatFailure, ReportBuilder } from './report';
import { checkRuns } from './runs';

/**
 * Records of real kernels, from the shared vectors: every family of maps, contexts, packets, calls, callbacks and tail calls once, and
 * every 60th one-opcode program.
 */
const GOLDEN = path.resolve(import.meta.dirname, '../../../test/golden/runs');

describe.each([
  ['6.12', 2],
  ['7.2', 1],
])('recorded runs of %s', (kernel, refused) => {
  const records = [...readRecords(path.join(GOLDEN, kernel, 'runs.jsonl.gz'))];
  const report = new ReportBuilder();

  it('give what the kernel gave', () => {
    const failures: string[] = [];
    for (const record of records) {
      const result = checkRuns(record);
      report.add(result);
      failures.push(...result.failures.map(formatFailure));
    }
    expect(failures).toEqual([]);
  });

  it('are compared but for those that cannot be', () => {
    const { passed, failed, notComparable, reasons } = report.report();
    expect(passed + failed + notComparable).toBe(records.length);
    expect(Object.fromEntries(reasons)).toEqual({
      'the kernel refused the program': refused,
      'results depend on time, CPU or process': 1,
    });
  });
});
