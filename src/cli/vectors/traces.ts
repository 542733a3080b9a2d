import { EngineError } from '../../engine/base/errors';
import { factsBeside } from './facts';
import type { Fields } from './fields';
import type { RecordChecker } from './images';
import type { VectorRecord } from './records';
import { RecordCheck } from './report';
import { functionsOfLoad, type JitedFunction } from './trace-code';
import { readTrace } from './trace-record';
import { TraceReplay } from './trace-replay';
import { trampolinesOfTrace } from './trace-trampolines';
import { attachedPrograms, tracedFunction } from './trampolines';

const NO_TRACE = 'no trace in the record';
const FOREIGN = 'instructions taken from the trace (no image in the record, and not made by programs in it)';

/**
 * The mode `--traces`: steps the traces that one record of a kernel holds on our machine; everything that a step shows must agree.
 * An error of the engine is a failure of the record.
 */
export const checkTraces: RecordChecker = (record) => {
  const check = new RecordCheck(record.file, record.name);
  try {
    replay(check, record);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    if (error.code === 'usage/facts') throw error; // the same for every record of the file
    check.fail('stepping', error.message);
  }
  return check.result();
};

function replay(check: RecordCheck, { kind, fields, file }: VectorRecord): void {
  const steps = kind === 'kernel-case' ? fields.objects('steps') : [];
  if (!steps.some(isTraced)) return check.leaveOut(NO_TRACE);
  const facts = factsBeside(file);
  const functions: JitedFunction[] = [];
  steps.forEach((step, i) => {
    if (step.text('op') === 'load') functions.push(...functionsOfLoad(check, step, facts));
    if (!isTraced(step)) return;
    const trace = readTrace(step.object('trace'));
    const attached = attachedPrograms(steps.slice(0, i));
    const trampolines = trampolinesOfTrace(trace, functions, attached, tracedFunction(fields, steps), facts);
    const run = new TraceReplay(trace, functions, trampolines);
    check.count('traces');
    if (trampolines.length > 0) check.count('trampolines', trampolines.length);
    check.count('trace steps', trace.steps.length);
    if (run.foreign > 0) check.leaveOut(FOREIGN);
    check.expect(`trace of step ${i} (${step.text('prog')})`, run.run());
  });
}

const isTraced = (step: Fields): boolean => step.has('trace');
