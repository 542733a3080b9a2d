import { EngineError } from '../../engine/base/errors';
import { factsBeside } from './facts';
import { checkHarnessProgram, checkRecipe, checkScenarioImages } from './harness';
import { checkHarnessTrampoline } from './harness-trampolines';
import { checkLoadedProgram, REASON } from './kernel-images';
import { checkCaseTrampolines, checkObjectTrampolines } from './trampolines';
import { readRecords, type VectorRecord } from './records';
import { RecordCheck, ReportBuilder, type RecordResult, type VectorReport } from './report';
import { checkTextPoke } from './textpoke';

/** A mode of the command: judges one record. */
export type RecordChecker = (record: VectorRecord) => RecordResult;

/**
 * Judges every record of the files.
 * @param onResult told of each record as it is judged
 * @throws EngineError `usage/vectors` for files that are no vector files
 */
export function runVectors(
  files: readonly string[],
  check: RecordChecker,
  onResult: (result: RecordResult) => void = () => undefined,
): VectorReport {
  const builder = new ReportBuilder();
  for (const file of files) {
    for (const record of readRecords(file)) {
      const result = check(record);
      builder.add(result);
      onResult(result);
    }
  }
  return builder.report();
}

/**
 * The mode without an option: images, exception tables, offset tables and trampolines of one record are compiled and compared; an
 * error of the engine is a failure of the record.
 */
export const checkImages: RecordChecker = (record) => {
  const check = new RecordCheck(record.file, record.name);
  try {
    compare(check, record);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    if (error.code === 'usage/facts') throw error; // the same for every record of the file
    check.fail('compiling', error.message);
  }
  return check.result();
};

function compare(check: RecordCheck, { kind, fields, file, name }: VectorRecord): void {
  switch (kind) {
    case 'harness-program':
      checkHarnessProgram(check, fields, name);
      return;
    case 'recipe':
      checkRecipe(check, fields, name);
      return;
    case 'harness-trampoline':
      checkHarnessTrampoline(check, fields, name);
      return;
    case 'text-poke':
      checkTextPoke(check, fields);
      return;
    case 'tail-call-semantics':
      checkScenarioImages(check, fields);
      return;
    case 'kernel-case': {
      const facts = factsBeside(file);
      const steps = fields.objects('steps');
      for (const step of steps) if (step.text('op') === 'load') checkLoadedProgram(check, step, facts);
      checkCaseTrampolines(check, fields, steps, facts);
      return;
    }
    case 'object': {
      const facts = factsBeside(file);
      if (fields.has('load_error')) check.leaveOut(REASON.loadError);
      for (const program of fields.objects('progs')) checkLoadedProgram(check, program, facts);
      checkObjectTrampolines(check, fields, facts);
      return;
    }
  }
}
