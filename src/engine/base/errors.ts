/** The room in which an error arises; the first part of its code. */
export type ErrorRoom =
  | 'base'
  | 'profile'
  | 'bpf'
  | 'rv64'
  | 'elf'
  | 'btf'
  | 'loader'
  | 'xlate'
  | 'jit'
  | 'machine'
  | 'kernel'
  | 'debugger'
  | 'usage';

/** `room/what-is-wrong`, stable words that tests and user interfaces may switch on. */
export type ErrorCode = `${ErrorRoom}/${string}`;

/** Where the error is: file offset, section, instruction index, address … whatever helps to find the place. */
export type ErrorData = Readonly<Record<string, string | number | bigint | boolean | undefined>>;

/**
 * The one error class of the engine. Its message is a sentence for people: what is wrong, where, and what to do next.
 * Hostile input of any kind ends in one of these, never in another exception, a crash or a hang.
 */
export class EngineError extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly data: ErrorData = {},
  ) {
    super(message);
    this.name = 'EngineError';
  }
}

/** For the default branch of an exhaustive switch: the compiler proves that it is never reached. */
export function unreachable(value: never): never {
  throw new EngineError('base/unreachable', `This value should be impossible: ${JSON.stringify(value)}.`);
}
