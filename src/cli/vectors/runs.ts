import { EngineError } from '../../engine/base/errors';
import { createKernel } from '../../engine/kernel/kernel';
import type { Kernel } from '../../engine/kernel/types';
import { createMachine } from '../../engine/machine/machine';
import { factsBeside, type KernelFacts } from './facts';
import type { Fields } from './fields';
import type { RecordChecker } from './images';
import { REASON } from './kernel-images';
import type { VectorRecord } from './records';
import { RecordCheck } from './report';
import {
  checkMapDump,
  createRecordedMap,
  fillRecordedMap,
  isFilledByUser,
  type RecordedIds,
} from './run-maps';
import { loadRecorded, mapsOf, notComparable, programsWithRuns } from './run-programs';
import { checkScenarioRun } from './run-scenario';
import { checkRunStep, runWord } from './run-step';

/** Reasons for which records are not played (cli.md). */
const NOT_PLAYED = {
  noRuns: 'nothing to run in a record of this kind',
  note: 'the kernel itself differed from the instruction set (note)',
  nondeterministic: 'results depend on time, CPU or process',
} as const;

/** Steps that need programs attached to functions. */
const ATTACH_STEPS: ReadonlySet<string> = new Set(['attach', 'detach', 'trampoline', 'kernel_bytes']);

/**
 * The mode `--runs`: plays the steps of one record on a machine with a kernel of its own and compares the results; an error of the
 * engine is a failure of the record.
 */
export const checkRuns: RecordChecker = (record) => {
  const check = new RecordCheck(record.file, record.name);
  try {
    play(check, record);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    if (error.code === 'usage/facts') throw error; // the same for every record of the file
    check.fail('playing the record', error.message);
  }
  return check.result();
};

function play(check: RecordCheck, record: VectorRecord): void {
  switch (record.kind) {
    case 'kernel-case':
      return playCase(check, record);
    case 'object':
      return playObject(check, record);
    case 'tail-call-semantics':
      return checkScenarioRun(check, record.fields);
    case 'harness-program':
    case 'recipe':
    case 'harness-trampoline':
    case 'text-poke':
      return check.leaveOut(NOT_PLAYED.noRuns);
  }
}

/** A kernel as it is after boot, of the version and with the ISA that made the record. */
const freshKernel = (facts: KernelFacts): Kernel => createKernel(facts.profile, createMachine());

function playCase(check: RecordCheck, record: VectorRecord): void {
  const { fields } = record;
  if (fields.has('note')) return check.leaveOut(NOT_PLAYED.note);
  if (fields.has('deterministic') && fields.text('deterministic') === 'no') {
    return check.leaveOut(NOT_PLAYED.nondeterministic);
  }
  const facts = factsBeside(record.file);
  const kernel = freshKernel(facts);
  const ids: RecordedIds = new Map();
  const steps = fields.objects('steps');
  const loads = steps.filter((step) => step.text('op') === 'load' && notComparable(step) === undefined);
  const game: Game = { check, kernel, facts, ids, left: new Set(), needed: new Set(loads.flatMap(mapsOf)) };
  for (const [index, step] of steps.entries()) playStep(game, step, `step ${index}`);
}

/** A record that is being played. */
interface Game {
  readonly check: RecordCheck;
  readonly kernel: Kernel;
  readonly facts: KernelFacts;
  readonly ids: RecordedIds;
  /** Programs that are left out, and maps that are not made: steps that need them are left out too. */
  readonly left: Set<string>;
  /** Maps that a program needs. */
  readonly needed: ReadonlySet<string>;
}

function playStep({ check, kernel, facts, ids, left, needed }: Game, step: Fields, where: string): void {
  const op = step.text('op');
  switch (op) {
    case 'map':
      if (!createRecordedMap(kernel, step, needed.has(step.text('name')))) left.add(step.text('name'));
      return;
    case 'mapset':
      if (left.has(step.text('map'))) return;
      compareStatus(check, `${where}: mapset ${step.text('map')}`, step, () =>
        kernel.updateMap(kernel.map(step.text('map')), step.bytes('key'), step.bytes('value')),
      );
      return;
    case 'progset':
      if (left.has(step.text('prog')) || left.has(step.text('map'))) return;
      compareStatus(check, `${where}: progset ${step.text('map')}`, step, () =>
        kernel.setProgArray(kernel.map(step.text('map')), step.number('index'), step.text('prog')),
      );
      return;
    case 'load': {
      const reason = loadRecorded(kernel, step, ids, facts);
      if (reason === undefined) return;
      left.add(step.text('name'));
      return check.leaveOut(reason);
    }
    case 'run':
      if (left.has(step.text('prog'))) return;
      return checkRunStep(check, kernel, step, `${where}: ${runWord(step)}`);
    case 'mapdump':
      if (left.has(step.text('name'))) return;
      return checkMapDump(check, kernel, step, `${where}: map ${step.text('name')}`, ids);
    default:
      if (ATTACH_STEPS.has(op)) return check.fail(where, `step '${op}' is not supported yet`);
      return check.fail(where, `step '${op}' is unknown`);
  }
}

/** `rc` of a step: 0 or the errno that the kernel returned. */
function compareStatus(check: RecordCheck, what: string, step: Fields, act: () => void): void {
  const expected = step.has('rc') ? step.number('rc') : 0;
  let got = 0;
  try {
    act();
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'kernel/errno') throw error;
    got = Number(error.data['errno']);
  }
  check.count('map updates');
  check.expect(what, got === expected ? undefined : `expected errno ${expected}, got ${got}`);
}

/** An object: the maps as they were after loading, the runs in their order, the maps after them. */
function playObject(check: RecordCheck, record: VectorRecord): void {
  const { fields } = record;
  const runs = fields.objects('runs');
  if (runs.length === 0)
    return check.leaveOut(fields.has('load_error') ? REASON.loadError : NOT_PLAYED.noRuns);
  const facts = factsBeside(record.file);
  const kernel = freshKernel(facts);
  const ids: RecordedIds = new Map();
  const maps = fields.objects('maps');
  const needed = programsWithRuns(fields, maps);
  const left = new Set<string>();
  for (const program of needed) {
    const reason = notComparable(program);
    if (reason === undefined) continue;
    left.add(program.text('name'));
    check.leaveOut(reason);
  }
  const wanted = needed.filter((program) => !left.has(program.text('name')));
  const used = new Set(wanted.flatMap(mapsOf));
  const made = maps.filter((map) => createRecordedMap(kernel, map, used.has(map.text('name'))));
  for (const map of made) fillRecordedMap(kernel, map);
  for (const program of wanted) {
    const reason = loadRecorded(kernel, program, ids, facts);
    if (reason === undefined) continue;
    left.add(program.text('name'));
    check.leaveOut(reason);
  }
  for (const map of made) fillRecordedMap(kernel, map, ids);
  for (const dump of fields.has('maps_after') ? fields.objects('maps_after') : []) {
    if (isFilledByUser(dump, fields.objects('progs'))) fillRecordedMap(kernel, dump);
  }
  for (const [index, run] of runs.entries()) {
    if (!left.has(run.text('prog'))) checkRunStep(check, kernel, run, `run ${index}: ${runWord(run)}`);
  }
  // A program that was left out may have changed the maps in the recorded kernel.
  if (left.size > 0 || !fields.has('maps_after')) return;
  for (const dump of fields.objects('maps_after')) {
    if (!made.some((map) => map.text('name') === dump.text('name'))) continue;
    checkMapDump(check, kernel, dump, `map ${dump.text('name')} afterwards`, ids);
  }
}
