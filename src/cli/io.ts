import { readFile, stat, writeFile } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { EngineError } from '../engine/base/errors';

/** What a command reads and writes; tests give their own. */
export interface Io {
  /** Resolves when more may be written, so that a long trace never piles up in memory. */
  out(text: string): Promise<void>;
  err(text: string): Promise<void>;
  stdin(): Promise<Uint8Array>;
  /** @throws EngineError `usage/file` naming the file and what is wrong with it */
  read(path: string): Promise<Uint8Array>;
  /** @throws EngineError `usage/file` */
  write(path: string, bytes: Uint8Array): Promise<void>;
}

/** Files larger than this are refused. Bytes. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;

/** The reader of standard output went away (`hartbeat trace … | head`): there is nothing left to do. */
export class OutputClosed extends Error {}

/** Reading and writing of a process. */
export function processIo(streams: { stdin: Readable; stdout: Writable; stderr: Writable }): Io {
  let closed = false;
  streams.stdout.on('error', () => (closed = true));
  streams.stderr.on('error', () => undefined);
  return {
    out: async (text) => {
      if (closed) throw new OutputClosed();
      await send(streams.stdout, text);
      if (closed) throw new OutputClosed();
    },
    err: (text) => send(streams.stderr, text),
    stdin: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of streams.stdin) chunks.push(Buffer.from(chunk as Uint8Array | string));
      return new Uint8Array(Buffer.concat(chunks));
    },
    read: readChecked,
    write: async (path, bytes) => {
      await writeFile(path, bytes).catch((error: NodeJS.ErrnoException) => {
        throw new EngineError('usage/file', `${path} cannot be written: ${fileProblem(error)}.`, { path });
      });
    },
  };
}

/** Resolves when the stream can take more, or has been closed. */
function send(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve) => {
    stream.write(text, () => resolve());
  });
}

async function readChecked(path: string): Promise<Uint8Array> {
  const fail = (why: string): never => {
    throw new EngineError('usage/file', `${path} cannot be read: ${why}.`, { path });
  };
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => fail(fileProblem(error)));
  if (info.isDirectory()) fail(IS_DIRECTORY);
  if (info.size > MAX_FILE_BYTES) fail(`it has ${info.size} bytes, more than ${MAX_FILE_BYTES}`);
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => fail(fileProblem(error)));
  return new Uint8Array(bytes);
}

const IS_DIRECTORY = 'it is a directory; name a file';

/** Why a file could not be read or written, without a full stop. */
export function fileProblem(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EISDIR':
      return IS_DIRECTORY;
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
