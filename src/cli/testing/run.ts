import { runCli } from '../main';
import { processIo, type Io } from '../io';

export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Standard output as JSON. */
  json<T>(): T;
}

/** Files that a test writes instead of reading them from the disk. */
export interface CliWorld {
  readonly stdin?: string;
  readonly files?: Readonly<Record<string, Uint8Array | string>>;
}

const real = processIo(process);

/** Runs a command line in this process, with the repository's directory as the current one. */
export async function cli(argv: readonly string[], world: CliWorld = {}): Promise<CliResult> {
  let out = '';
  let err = '';
  const encode = (text: Uint8Array | string) =>
    typeof text === 'string' ? new TextEncoder().encode(text) : text;
  const io: Io = {
    out: (text) => {
      out += text;
      return Promise.resolve();
    },
    err: (text) => {
      err += text;
      return Promise.resolve();
    },
    stdin: () => Promise.resolve(encode(world.stdin ?? '')),
    read: (path) => {
      const file = world.files?.[path];
      return file === undefined ? real.read(path) : Promise.resolve(encode(file));
    },
    write: real.write,
  };
  const code = await runCli(argv, io);
  return { code, out, err, json: <T>() => JSON.parse(out) as T };
}
