import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { EngineError } from '../../engine/base/errors';
import { fileProblem } from '../io';
import { Fields } from './fields';

/** What a record is, known by its keys (cli.md). */
export type RecordKind =
  | 'kernel-case'
  | 'harness-program'
  | 'recipe'
  | 'harness-trampoline'
  | 'text-poke'
  | 'tail-call-semantics'
  | 'object';

/** One line of a vector file. */
export interface VectorRecord {
  /** Path of the file it stands in. */
  readonly file: string;
  readonly name: string;
  readonly kind: RecordKind;
  readonly fields: Fields;
}

/**
 * The records of a file one by one: JSON lines, plain or gzipped, or a single JSON object in a .json file.
 * @throws EngineError `usage/vectors` for a file that cannot be read, a line that is no JSON object, an unknown kind
 */
export function* readRecords(file: string): Generator<VectorRecord, void> {
  const text = readText(file);
  if (/\.json(\.gz)?$/.test(file)) {
    yield recordOf(parse(text, file), file, file);
    return;
  }
  let line = 0;
  for (const json of text.split('\n')) {
    line++;
    if (json.trim() !== '') yield recordOf(parse(json, `${file}:${line}`), file, `${file}:${line}`);
  }
}

function readText(file: string): string {
  try {
    const bytes = readFileSync(file);
    return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8');
  } catch (error) {
    throw new EngineError('usage/vectors', `${file} cannot be read: ${fileProblem(error)}.`, { file });
  }
}

function parse(json: string, where: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    throw new EngineError(
      'usage/vectors',
      `${where} is not JSON; vector files are JSON lines, plain or gzipped.`,
      { where },
    );
  }
}

function recordOf(value: unknown, file: string, where: string): VectorRecord {
  const fields = Fields.of(value, where);
  const kind = kindOf(fields);
  if (kind === undefined) {
    throw new EngineError(
      'usage/vectors',
      `${where} is no record of a known kind; its keys are ${fields.keys().slice(0, 8).join(', ')}.`,
      { where },
    );
  }
  const name = fields.has('name') ? fields.text('name') : where;
  return { file, name, kind, fields: new Fields(value as Record<string, unknown>, name) };
}

function kindOf(fields: Fields): RecordKind | undefined {
  if (fields.has('steps')) return 'kernel-case';
  if (fields.has('programs') && fields.has('expect')) return 'tail-call-semantics';
  if (fields.has('insns_rle')) return 'recipe';
  if (fields.has('links')) return 'harness-trampoline';
  if (fields.has('config') && fields.has('funcs')) return 'harness-program';
  if (fields.has('ip') && fields.has('target')) return 'text-poke';
  if (fields.has('progs')) return 'object';
  return undefined;
}
