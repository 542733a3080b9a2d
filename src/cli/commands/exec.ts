import { hex64, hexToBytes } from '../../engine/base/hex';
import { EngineError } from '../../engine/base/errors';
import { decodeInsns } from '../../engine/bpf/bytes';
import { execute, type ExecResult } from '../../engine/debugger/exec';
import { usage, type Command } from '../command';
import { toJson } from '../json';
import { PROFILE_OPTIONS, profileFrom } from '../profile-options';
import { bytesOption } from '../run-options';
import { placeOf } from '../run-program';

const DEFAULT_MAX_INSNS = 10_000_000;

/** `hartbeat exec` */
export const execCommand: Command = {
  name: 'exec',
  summary: 'runs raw BPF instructions given as hex on standard input and prints r0',
  positionals: [],
  options: [
    { name: 'mem', value: 'hex:…|FILE', help: 'memory: r1 = its address, r2 = its length; both 0 without' },
    { name: 'max-insns', value: 'N', help: 'instructions after which to give up (default 10^7)' },
    ...PROFILE_OPTIONS,
    { name: 'json', help: 'one JSON value on standard output' },
  ],
  notes: 'White space between the hex digits is allowed. The instructions are not verified.',
  async run(args, io) {
    const profile = profileFrom(args);
    const limit = args.count('max-insns') ?? DEFAULT_MAX_INSNS;
    const mem = await bytesOption('mem', args, io);
    const insns = decodeInsns(codeFrom(new TextDecoder().decode(await io.stdin())));
    if (insns.length === 0)
      throw usage('exec reads BPF instructions as hex from standard input, which is empty');
    const result = execute(profile, insns, mem, limit);
    if (args.has('json')) await io.out(`${toJson(describe(result, mem))}\n`);
    else if (result.r0 !== undefined) await io.out(`${hex64(result.r0)}\n`);
    if (result.stop.reason === 'exit') return 0;
    await io.err(`hartbeat: ${result.stop.text}\n`);
    return 1;
  },
};

function codeFrom(text: string): Uint8Array {
  try {
    return hexToBytes(text);
  } catch (error) {
    throw usage(`standard input: ${error instanceof EngineError ? error.message : String(error)}`);
  }
}

/** @param given the memory that was asked for; one of no length is none to the program */
function describe({ r0, mem, stop }: ExecResult, given: Uint8Array | undefined) {
  const { reason } = stop;
  return {
    r0: r0 ?? null,
    mem: mem ?? given ?? null,
    stop: reason === 'exit' ? { reason } : { reason, text: stop.text, ...placeOf(stop.location) },
  };
}
