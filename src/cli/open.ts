import path from 'node:path';
import type { BpfObject } from '../engine/loader/object';
import { loadObject } from '../engine/loader/load';
import type { Io } from './io';

/** Reads and opens an object file. @throws EngineError with one sentence that says why it cannot be opened */
export async function openObject(file: string, io: Io): Promise<BpfObject> {
  return loadObject(await io.read(file), path.basename(file));
}
