import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { EngineError } from '../../engine/base/errors';

/** Objects larger than this are refused: no BPF object comes near. Bytes. */
const MAX_OBJECT_BYTES = 64 * 1024 * 1024;
const MAX_SOURCE_BYTES = 1024 * 1024;
const MAX_SOURCES = 64;

export interface ObjectFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** C sources and headers in the object's directory, by base name. */
  readonly sources: Readonly<Record<string, string>>;
}

/**
 * Reads an object file and the C sources that lie beside it, for the source column.
 * @throws EngineError `usage/file` naming the file and what is wrong with it.
 */
export async function readObjectFile(file: string): Promise<ObjectFile> {
  const info = await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw new EngineError('usage/file', cannotRead(file, error), { path: file });
  });
  if (!info.isFile()) {
    throw new EngineError(
      'usage/file',
      `${file} is ${info.isDirectory() ? 'a directory' : 'not a regular file'}; name a BPF object file (.o).`,
      {
        path: file,
      },
    );
  }
  if (info.size > MAX_OBJECT_BYTES) {
    throw new EngineError(
      'usage/file',
      `${file} has ${info.size} bytes; BPF objects of more than 64 MiB are not opened.`,
      { path: file },
    );
  }
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new EngineError('usage/file', cannotRead(file, error), { path: file });
  });
  return { name: path.basename(file), bytes: new Uint8Array(bytes), sources: await sourcesBeside(file) };
}

function cannotRead(file: string, error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return `There is no file ${file}; check the path.`;
  if (error.code === 'EACCES') return `${file} may not be read; check its permissions.`;
  return `${file} cannot be read: ${error.message}.`;
}

async function sourcesBeside(file: string): Promise<Record<string, string>> {
  const dir = path.dirname(file);
  const names = (await readdir(dir).catch(() => [])).filter((name) => /\.[ch]$/.test(name)).sort();
  const sources: Record<string, string> = {};
  for (const name of names.slice(0, MAX_SOURCES)) {
    const full = path.join(dir, name);
    const info = await stat(full).catch(() => undefined);
    if (!info?.isFile() || info.size > MAX_SOURCE_BYTES) continue;
    const text = await readFile(full, 'utf8').catch(() => undefined);
    if (text !== undefined) sources[name] = text;
  }
  return sources;
}
