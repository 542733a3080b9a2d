import { usage, type Command } from '../command';
import { toJson } from '../json';
import { checkImages, runVectors, type RecordChecker } from '../vectors/images';
import { formatFailure, formatSummary, type RecordResult } from '../vectors/report';
import { checkRuns } from '../vectors/runs';
import { checkTraces } from '../vectors/traces';

/** Modes by option; without one, images are compared. */
const MODES: Readonly<Record<string, RecordChecker>> = { runs: checkRuns, traces: checkTraces };

/** Failures that are printed in full. */
const SHOWN_FAILURES = 100;

/** `hartbeat vectors FILE…` */
export const vectorsCommand: Command = {
  name: 'vectors',
  summary: 'compares with recorded vectors: images, or with --runs results, with --traces every step',
  positionals: [{ name: 'FILE', required: true, many: true }],
  options: [
    { name: 'runs', help: 'play the steps and compare return values, contexts, packets and maps' },
    {
      name: 'traces',
      help: 'step each recorded trace: every pc, instruction and register change must agree',
    },
    { name: 'json', help: 'one JSON value on standard output' },
  ],
  notes: 'FILE: JSON lines, plain or .gz, and objects/*.json. Exit code 1 when a record fails.',
  async run(args, io) {
    const chosen = Object.keys(MODES).filter((mode) => args.has(mode));
    if (chosen.length > 1) throw usage('vectors takes --runs or --traces, not both');
    const check = MODES[chosen[0] ?? ''] ?? checkImages;
    const failures: RecordResult['failures'][number][] = [];
    const report = runVectors(args.positionals, check, (result) => failures.push(...result.failures));
    if (args.has('json')) {
      const { passed, failed, notComparable, compared, reasons, leftOut } = report;
      await io.out(`${toJson({ passed, failed, notComparable, failures, compared, reasons, leftOut })}\n`);
    } else {
      for (const failure of failures.slice(0, SHOWN_FAILURES)) await io.out(formatFailure(failure));
      const hidden = failures.length - SHOWN_FAILURES;
      if (hidden > 0) await io.out(`and ${hidden} more failures; --json prints all\n`);
      await io.out(formatSummary(report));
    }
    return report.failed > 0 ? 1 : 0;
  },
};
