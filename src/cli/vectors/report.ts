/** What became of one record. */
export type Verdict = 'passed' | 'failed' | 'not-comparable';

/** One thing that differed, or that is not supported yet. */
export interface Failure {
  readonly file: string;
  readonly name: string;
  /** Which part: `image of main`, `trampoline bpf_fentry_test1`, `run 3` … */
  readonly what: string;
  /** The first difference, several lines. */
  readonly detail: string;
}

/** What became of one record. */
export interface RecordResult {
  readonly file: string;
  readonly name: string;
  readonly verdict: Verdict;
  /** Why the record is not comparable. */
  readonly reason?: string;
  readonly failures: readonly Failure[];
  /** How many things of each kind were compared: functions, trampolines, runs … */
  readonly compared: ReadonlyMap<string, number>;
  /** Parts that could not be compared in a record that was otherwise judged, by reason. */
  readonly leftOut: ReadonlyMap<string, number>;
}

/** Collects what one record's checks find and comes to its verdict. */
export class RecordCheck {
  private readonly failures: Failure[] = [];
  private readonly compared = new Map<string, number>();
  private readonly leftOut = new Map<string, number>();

  constructor(
    private readonly file: string,
    private readonly name: string,
  ) {}

  /** Something was compared, `times` of it; `kind` in the plural. */
  count(kind: string, times = 1): void {
    this.compared.set(kind, (this.compared.get(kind) ?? 0) + times);
  }

  /** @param detail the first difference, or undefined if there is none */
  expect(what: string, detail: string | undefined): void {
    if (detail !== undefined) this.fail(what, detail);
  }

  fail(what: string, detail: string): void {
    this.failures.push({ file: this.file, name: this.name, what, detail });
  }

  /** A part of the record cannot be compared. */
  leaveOut(reason: string): void {
    this.leftOut.set(reason, (this.leftOut.get(reason) ?? 0) + 1);
  }

  /** Failed if anything failed, passed if anything was compared, otherwise not comparable for the first reason given. */
  result(): RecordResult {
    const { file, name, failures, compared, leftOut } = this;
    const verdict = failures.length > 0 ? 'failed' : compared.size > 0 ? 'passed' : 'not-comparable';
    const reason =
      verdict === 'not-comparable' ? ([...leftOut.keys()][0] ?? 'nothing to compare') : undefined;
    return { file, name, verdict, reason, failures, compared, leftOut };
  }
}

/** What became of all records. */
export interface VectorReport {
  readonly passed: number;
  readonly failed: number;
  readonly notComparable: number;
  readonly failures: readonly Failure[];
  /** Records that are not comparable, by reason. */
  readonly reasons: ReadonlyMap<string, number>;
  /** Things compared, by kind. */
  readonly compared: ReadonlyMap<string, number>;
  /** Parts left out of records that were otherwise judged, by reason. */
  readonly leftOut: ReadonlyMap<string, number>;
}

/** Sums up records as they are judged, so that a million of them need not be kept. */
export class ReportBuilder {
  private readonly verdicts = { passed: 0, failed: 0, 'not-comparable': 0 };
  private readonly failures: Failure[] = [];
  private readonly reasons = new Map<string, number>();
  private readonly compared = new Map<string, number>();
  private readonly leftOut = new Map<string, number>();

  add(result: RecordResult): void {
    this.verdicts[result.verdict]++;
    this.failures.push(...result.failures);
    if (result.reason !== undefined) {
      this.reasons.set(result.reason, (this.reasons.get(result.reason) ?? 0) + 1);
    } else {
      merge(this.leftOut, result.leftOut);
    }
    merge(this.compared, result.compared);
  }

  report(): VectorReport {
    const { failures, reasons, compared, leftOut } = this;
    const { passed, failed, 'not-comparable': notComparable } = this.verdicts;
    return { passed, failed, notComparable, failures, reasons, compared, leftOut };
  }
}

function merge(into: Map<string, number>, from: ReadonlyMap<string, number>): void {
  for (const [key, count] of from) into.set(key, (into.get(key) ?? 0) + count);
}

const sorted = (counts: ReadonlyMap<string, number>): [string, number][] =>
  [...counts].sort((a, b) => b[1] - a[1]);

/** One failure as the command prints it. */
export function formatFailure({ file, name, what, detail }: Failure): string {
  const indented = detail
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
  return `FAILED ${file}: ${name}: ${what}\n${indented}\n`;
}

/** What follows the failures; the last two lines are those that the command's contract fixes. */
export function formatSummary(report: VectorReport): string {
  const lines: string[] = [];
  if (report.compared.size > 0) {
    lines.push(
      `compared: ${sorted(report.compared)
        .map(([kind, count]) => `${count} ${kind}`)
        .join(', ')}`,
    );
  }
  if (report.leftOut.size > 0) {
    lines.push(
      `left out of passed records: ${sorted(report.leftOut)
        .map(([reason, count]) => `${reason} ${count}`)
        .join(', ')}`,
    );
  }
  const reasons = sorted(report.reasons).map(([reason, count]) => `${reason} ${count}`);
  lines.push(`${report.notComparable} not comparable${reasons.length > 0 ? `: ${reasons.join(', ')}` : ''}`);
  lines.push(`${report.passed} passed, ${report.failed} failed`);
  return lines.join('\n') + '\n';
}
