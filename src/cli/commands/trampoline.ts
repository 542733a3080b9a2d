import path from 'node:path';
import { functionModel } from '../../engine/kernel/trampolines/function-model';
import { parseArguments, parseResult, valueWord } from '../../engine/kernel/trampolines/words';
import { readTraced } from '../../engine/debugger/traced';
import { makeTrampoline, type MadeTrampoline } from '../../engine/debugger/trampoline';
import {
  bpfTarget,
  hasTrampoline,
  suggestedTrampolines,
  type Traced,
} from '../../engine/debugger/trampoline-suggestions';
import type { TrampolineSuggestion } from '../../engine/debugger/views';
import type { Profile } from '../../engine/jit/profile';
import { trampolineText } from '../../shared/trampoline-text';
import { usage, type Arguments, type Command } from '../command';
import type { Io } from '../io';
import { toJson } from '../json';
import { openObject } from '../open';
import { PROFILE_OPTIONS, profileFrom } from '../profile-options';
import { programNamed } from '../run-options';
import { table } from '../table';
import {
  addressesFrom,
  attachedPrograms,
  naming,
  targetFrom,
  TRAMPOLINE_OPTIONS,
} from '../trampoline-options';

/** `hartbeat trampoline [OBJ [PROG…]]` */
export const trampolineCommand: Command = {
  name: 'trampoline',
  summary: 'the trampoline on a traced function: its code with the rule of each instruction, its frame',
  positionals: [
    { name: 'OBJ', required: false },
    { name: 'PROG', required: false, many: true },
  ],
  options: [
    ...TRAMPOLINE_OPTIONS,
    { name: 'raw', value: 'FILE', help: 'write the image to FILE' },
    { name: 'why', help: 'the rule that made each native instruction, and what the rules mean' },
    ...PROFILE_OPTIONS,
    { name: 'json', help: 'one JSON value on standard output' },
  ],
  notes: [
    'With OBJ, a trampoline for every function that its programs (or the PROGs) trace: fentry, fexit, fmod_ret, lsm and struct_ops',
    'programs; sleepable and bpf_get_func_ip are found in the program. Without OBJ, for what --attach names.',
    'The original is called when an fexit, fmod_ret, fsession or lsm program is attached, as the kernel decides it.',
    'For instance: hartbeat trampoline --attach fentry*2 --attach fexit,cookie=0x10 --args s32,ptr,struct:16 --ret s32 --why',
  ].join('\n'),
  async run(args, io) {
    const profile = profileFrom(args);
    const attached = attachedPrograms(args);
    const traced = await tracedFrom(args, io);
    const wanted =
      args.positionals.length > 0
        ? await fromObject(args, profile, traced, io)
        : [fromOptions(args, profile, traced)];
    if (wanted.length > 1 && attached.length > 0) throw oneFunction('--attach', wanted);
    const addresses = addressesFrom(args);
    if (wanted.length > 1 && addresses.size > 0) throw oneFunction('--address', wanted);
    const made = wanted.map(({ spec, prototype }) => ({
      prototype,
      ...makeTrampoline(profile, { ...spec, programs: [...spec.programs, ...attached] }, addresses),
    }));

    const raw = args.text('raw');
    if (raw !== undefined) {
      if (made.length > 1) throw oneFunction('--raw', wanted);
      await io.write(raw, made[0]!.trampoline.image);
    }
    const rules = Object.assign({}, ...made.map(({ view }) => view.rules)) as Record<string, string>;
    if (args.has('json')) {
      await io.out(`${toJson({ trampolines: made.map(describe), rules })}\n`);
      return 0;
    }
    const why = args.has('why');
    for (const { view, prototype } of made) await io.out(trampolineText(view, { prototype, why }));
    if (why) await io.out(`Rules:\n${table(Object.entries(rules), '  ')}`);
    return 0;
  },
};

async function tracedFrom(args: Arguments, io: Io): Promise<Traced | undefined> {
  const file = args.text('btf');
  return file === undefined ? undefined : readTraced(await io.read(file), path.basename(file));
}

/** The trampolines that programs of an object want. */
async function fromObject(
  args: Arguments,
  profile: Profile,
  traced: Traced | undefined,
  io: Io,
): Promise<readonly TrampolineSuggestion[]> {
  const [file, ...names] = args.positionals;
  const object = await openObject(file!, io);
  for (const name of names) programNamed(object, name);
  if (names.length === 0 && !object.programs.some(hasTrampoline)) {
    throw usage(`${object.name} holds no program that a trampoline runs`);
  }
  const request = {
    object,
    profile,
    ...(names.length > 0 && { programs: names }),
    ...(traced && { traced }),
    ...(args.has('function') && { function: args.text('function') }),
  };
  const suggestions = suggestedTrampolines(request);
  const overridden = ['args', 'ret', 'target'].find((name) => args.has(name));
  if (suggestions.length > 1 && overridden !== undefined) throw oneFunction(`--${overridden}`, suggestions);
  return suggestions.map((suggestion) => withOptions(args, suggestion));
}

/** A suggestion with what the options say in its place. */
function withOptions(
  args: Arguments,
  { spec, prototype, problem }: TrampolineSuggestion,
): TrampolineSuggestion {
  const target = targetFrom(args);
  if (problem !== undefined && !args.has('args')) {
    throw usage(
      `${problem} Give --btf FILE (/sys/kernel/btf/vmlinux of its kernel), or --args TYPE,… and --ret TYPE`,
    );
  }
  const result = problem === undefined ? spec.result : DEFAULT_RESULT;
  return {
    spec: {
      ...spec,
      args: argumentWords(args.text('args') ?? spec.args),
      result: resultWord(args.text('ret') ?? result),
      ...(target !== undefined && { target }),
    },
    ...(!args.has('args') && !args.has('ret') && prototype !== undefined && { prototype }),
  };
}

const DEFAULT_FUNCTION = 'traced';
const DEFAULT_ARGUMENTS = 'u64';
const DEFAULT_RESULT = 's32';

/** A trampoline of which options alone tell. */
function fromOptions(args: Arguments, profile: Profile, traced: Traced | undefined): TrampolineSuggestion {
  if (!args.has('attach')) throw usage('trampoline needs OBJ or --attach KIND; --help says more');
  const name = args.text('function') ?? DEFAULT_FUNCTION;
  const model = traced && functionModel(traced.btf, name);
  if (traced && !model) {
    throw usage(`${args.text('btf')} does not describe ${name}; name the traced function with --function`);
  }
  const target = traced?.object && bpfTarget(traced.object, profile, name);
  return withOptions(args, {
    spec: {
      function: name,
      target: target ?? 'kernel',
      args: model?.args.map(valueWord).join(', ') ?? DEFAULT_ARGUMENTS,
      result: model ? valueWord(model.result) : DEFAULT_RESULT,
      programs: [],
    },
    ...(model && { prototype: model.prototype }),
  });
}

/** Words that have been read once, so that a wrong one is refused with the name of its option. */
function argumentWords(text: string): string {
  naming('--args', () => parseArguments(text));
  return text;
}

function resultWord(text: string): string {
  naming('--ret', () => parseResult(text));
  return text;
}

function oneFunction(option: string, suggestions: readonly TrampolineSuggestion[]) {
  const names = suggestions.map(({ spec }) => spec.function).join(', ');
  return usage(`${option} is about one function, and the programs trace ${names}; name a PROG`);
}

/** All records, for `--json`. */
function describe({ view, model, trampoline, prototype }: MadeTrampoline & { prototype?: string }) {
  const { spec, profile, slots, frameSize, native, programs } = view;
  return {
    function: spec.function,
    target: spec.target,
    ...(prototype !== undefined && { prototype }),
    args: model.args,
    result: model.result,
    profile,
    flags: view.flags,
    functionAddress: view.functionAddress,
    imAddress: model.imAddress,
    address: view.address,
    image: trampoline.image,
    size: view.size,
    allocSize: view.allocSize,
    programs,
    frame: { size: frameSize, slots, offsets: trampoline.frameOffsets },
    native,
    pieces: trampoline.pieces,
    calls: trampoline.calls,
    unwind: trampoline.unwind,
    ipAfterCall: trampoline.ipAfterCall,
    ipEpilogue: trampoline.ipEpilogue,
    skips: trampoline.skips,
  };
}
