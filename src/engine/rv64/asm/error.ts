import { EngineError } from '../../base/errors';

/** Refuses a line of the source. */
export function failAt(line: number, problem: string): never {
  throw new EngineError('rv64/assemble', `Line ${line}: ${problem}.`, { line });
}
