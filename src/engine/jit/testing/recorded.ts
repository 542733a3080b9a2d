import path from 'node:path';
import { harnessProfile, programInput } from '../../../cli/vectors/harness';
import { trampolineModel } from '../../../cli/vectors/harness-trampolines';
import { readRecords } from '../../../cli/vectors/records';
import { compileProgram } from '../subprograms';
import { compileTrampoline, type Trampoline } from '../trampoline/trampoline';
import type { TrampolineModel } from '../trampoline/model';
import type { JitFunction, JitInput } from '../types';

/** Programs and trampolines of the recorded selection, compiled. */

export interface RecordedFunction {
  /** Name of the record, kernel, scheme and extensions: for messages. */
  readonly label: string;
  readonly input: JitInput;
  readonly fn: JitFunction;
}

export interface RecordedTrampoline {
  readonly label: string;
  readonly model: TrampolineModel;
  readonly trampoline: Trampoline;
}

const FILE = path.resolve('test/golden/jit/harness.jsonl.gz');

/** All functions of the selection's programs; compiled once. */
export function recordedFunctions(): readonly RecordedFunction[] {
  return (functions ??= [...compileFunctions()]);
}
let functions: readonly RecordedFunction[] | undefined;

/** All trampolines of the selection; compiled once. */
export function recordedTrampolines(): readonly RecordedTrampoline[] {
  return (trampolines ??= [...compileTrampolines()]);
}
let trampolines: readonly RecordedTrampoline[] | undefined;

function* compileFunctions(): Generator<RecordedFunction> {
  for (const { kind, fields, name } of readRecords(FILE)) {
    if (kind !== 'harness-program') continue;
    const input = programInput(fields, name);
    const bases = fields.objects('funcs').map((func) => func.address('base'));
    const program = compileProgram(harnessProfile(fields), input, { place: (i) => bases[i]! });
    const label = `${name} ${JSON.stringify(fields.raw('config'))}`;
    for (const fn of program.functions) yield { label: `${label} ${fn.name}`, input, fn };
  }
}

function* compileTrampolines(): Generator<RecordedTrampoline> {
  for (const { kind, fields, name } of readRecords(FILE)) {
    if (kind !== 'harness-trampoline') continue;
    const model = trampolineModel(fields, name);
    const label = `${name} ${JSON.stringify(fields.raw('config'))}`;
    yield { label, model, trampoline: compileTrampoline(harnessProfile(fields), model) };
  }
}
