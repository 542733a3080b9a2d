import { EngineError } from '../../engine/base/errors';
import { decodeInsns } from '../../engine/bpf/bytes';
import { CALL } from '../../engine/bpf/insn';
import { why } from '../../engine/jit/lookup';
import { pokeText } from '../../engine/jit/textpoke';
import { compileTrampoline } from '../../engine/jit/trampoline/trampoline';
import {
  TRAMP_FLAG,
  type ModelValue,
  type TrampolineModel,
  type TrampolineProgram,
} from '../../engine/jit/trampoline/model';
import { imageDifference } from './difference';
import type { KernelFacts } from './facts';
import { addressIn, type Fields } from './fields';
import type { RecordCheck } from './report';

/** enum bpf_prog_type and bpf_attach_type of programs that trampolines run. */
const PROG_TYPE = { tracing: 26, structOps: 27, lsm: 29 } as const;
const ATTACH = { fentry: 24, fexit: 25, fmodRet: 26, lsmMac: 27, lsmCgroup: 43, fsession: 58 } as const;
const F_SLEEPABLE = 16;
const HELPER_GET_FUNC_IP = 173;
/** Bytes of a patched entry: the original is called behind it. */
const PATCHED_ENTRY_BYTES = 8;
/** What bytes of traced code in a record begin with, before the entry. */
const BYTES_BEFORE_ENTRY = 8;
/** 8-byte slots that twelve arguments of up to 16 bytes can take. */
const MAX_ARG_SLOTS = 24;

/** A program of the record that can be attached. */
export interface Attachable {
  readonly load: Fields;
  readonly prog: bigint;
  readonly cookie: bigint;
}

/** The trampoline steps of a case: every image alive then is made again from the programs that it runs. */
export function checkCaseTrampolines(
  check: RecordCheck,
  record: Fields,
  steps: readonly Fields[],
  facts: KernelFacts,
): void {
  const traced = tracedFunction(record, steps);
  let current: bigint | undefined;

  steps.forEach((step, i) => {
    switch (step.text('op')) {
      case 'kernel_bytes':
        if (step.has('sym') && step.text('sym').startsWith('prog:') && current !== undefined) {
          checkPoke(check, step, current);
        }
        break;
      case 'trampoline':
        for (const image of step.objects('images')) {
          checkTrampoline(check, image, attachedPrograms(steps.slice(0, i)), traced, facts);
          if (image.flag('current')) current = image.address('addr');
        }
        break;
    }
  });
}

/** The programs that these steps attach; all that they load where none is attached by a step, but by a link of another kind. */
export function attachedPrograms(steps: readonly Fields[]): Attachable[] {
  const loads = new Map(
    steps
      .filter((step) => step.text('op') === 'load' && step.has('funcs'))
      .map((load) => [load.text('name'), load]),
  );
  const attached = steps.flatMap((step) => {
    if (step.text('op') !== 'attach' || step.number('rc') !== 0) return [];
    const load = loads.get(step.text('prog'));
    return load ? [attachable(load, step.address('cookie'))] : [];
  });
  return attached.length > 0 ? attached : [...loads.values()].map((load) => attachable(load, 0n));
}

/** What a trampoline record tells of the function that is traced. */
export function tracedFunction(record: Fields, steps: readonly Fields[]): TracedFunction {
  return {
    args: record.has('args') ? parseArguments(record.text('args')) : undefined,
    voidResult: record.has('ret') && record.text('ret') === 'void',
    entry: tracedEntry(steps),
  };
}

/** Entry of the traced function: the bytes around it are read before or after attaching. */
function tracedEntry(steps: readonly Fields[]): bigint | undefined {
  const bytes = steps.find((step) => step.text('op') === 'kernel_bytes');
  return bytes && bytes.address('addr') + BigInt(BYTES_BEFORE_ENTRY);
}

/** Trampolines of a loaded object: what its programs are attached to, and the stubs of its struct_ops maps. */
export function checkObjectTrampolines(check: RecordCheck, object: Fields, facts: KernelFacts): void {
  const programs = object
    .objects('progs')
    .filter((program) => program.has('funcs'))
    .map((program) => attachable(program, 0n));
  if (object.has('trampolines')) {
    for (const image of object.objects('trampolines')) checkTrampoline(check, image, programs, {}, facts);
  }
  if (object.has('struct_ops_trampolines')) {
    for (const image of object.objects('struct_ops_trampolines'))
      checkStructOps(check, image, programs, facts);
  }
}

/** @throws EngineError `usage/vectors` for a program without functions */
function attachable(load: Fields, cookie: bigint): Attachable {
  const main = load.objects('funcs')[0];
  if (main) return { load, prog: main.address('prog_addr'), cookie };
  throw new EngineError(
    'usage/vectors',
    `${load.text('name')} is attached, but the record has no function of it.`,
    {
      program: load.text('name'),
    },
  );
}

/** `int:4|struct_foo:16`; types may contain colons of their own. */
function parseArguments(text: string): ModelValue[] {
  if (text === '') return [];
  return text.split('|').map((arg) => {
    const size = Number(arg.slice(arg.lastIndexOf(':') + 1));
    return { size, signed: false, isStruct: size > 8 };
  });
}

/** What a record knows of the traced function; the rest is found out from the image. */
export interface TracedFunction {
  readonly args?: readonly ModelValue[];
  readonly voidResult?: boolean;
  readonly entry?: bigint;
}

function checkTrampoline(
  check: RecordCheck,
  image: Fields,
  attached: readonly Attachable[],
  traced: TracedFunction,
  facts: KernelFacts,
): void {
  const seen = { name: image.text('sym'), address: image.address('addr'), calls: callsOf(image) };
  compareBest(check, image, trampolineModels(seen, attached, traced, facts), facts);
}

/** A trampoline as seen from outside: what it calls. */
export interface SeenTrampoline {
  readonly name: string;
  readonly address: bigint;
  readonly calls: readonly SeenCall[];
}

export interface SeenCall {
  readonly target: bigint;
  readonly symbol: string;
  /** A constant in a0: the program or the trampoline's image object. */
  readonly a0: bigint | undefined;
  /** The traced function is called. */
  readonly isOriginal: boolean;
}

/** What a trampoline may have been made from; more than one only where the record lacks the traced function's arguments. */
export function trampolineModels(
  { name, address, calls }: SeenTrampoline,
  attached: readonly Attachable[],
  traced: TracedFunction,
  facts: KernelFacts,
): TrampolineModel[] {
  const inImage = new Set(calls.map((call) => call.a0));
  // Most recently attached first.
  const programs = attached.filter(({ prog }) => inImage.has(prog)).reverse();
  const of = (...kinds: Kind[]): TrampolineProgram[] =>
    programs
      .filter(({ load }) => kinds.includes(kindOf(load, traced.voidResult === true)))
      .map((program) => programOf(program, facts));
  const fentry = of('fentry', 'fsession');
  const fexit = of('fexit', 'fsession');
  const fmodRet = of('fmod_ret');
  const callsOriginal = fexit.length + fmodRet.length > 0;
  const usesIp = programs.some(({ load }) => callsHelper(load, HELPER_GET_FUNC_IP));
  const original = calls.find((call) => call.isOriginal)?.target;
  const funcAddress = traced.entry ?? (original === undefined ? 0n : original - BigInt(PATCHED_ENTRY_BYTES));
  const model = {
    name,
    flags:
      (callsOriginal ? TRAMP_FLAG.CALL_ORIG | TRAMP_FLAG.SKIP_FRAME : TRAMP_FLAG.RESTORE_REGS) |
      (usesIp ? TRAMP_FLAG.IP_ARG : 0),
    result: { size: 0, signed: false },
    structOps: false,
    funcAddress,
    imageAddress: address,
    imAddress: calls.find((call) => call.symbol === '__bpf_tramp_enter')?.a0 ?? 0n,
    fentry,
    fexit,
    fmodRet,
    trampEnter: facts.symbol('__bpf_tramp_enter'),
    trampExit: facts.symbol('__bpf_tramp_exit'),
  };
  const candidates = traced.args ? [traced.args] : anyArguments();
  return candidates.map((args) => ({ ...model, args }));
}

function checkStructOps(
  check: RecordCheck,
  image: Fields,
  attached: readonly Attachable[],
  facts: KernelFacts,
): void {
  const inImage = new Set(callsOf(image).map((call) => call.a0));
  const fentry = attached.filter(({ prog }) => inImage.has(prog)).map((program) => programOf(program, facts));
  const model = {
    name: image.text('sym'),
    structOps: true,
    funcAddress: 0n,
    imageAddress: image.address('addr'),
    imAddress: 0n,
    fentry,
    fexit: [],
    fmodRet: [],
    trampEnter: 0n,
    trampExit: 0n,
  };
  const models = anyArguments().flatMap((args) =>
    anyResult().map((result) => ({
      ...model,
      args,
      result,
      flags: TRAMP_FLAG.INDIRECT | (result.size > 0 ? TRAMP_FLAG.RET_FENTRY_RET : 0),
    })),
  );
  compareBest(check, image, models, facts);
}

/** Where a record does not tell the arguments: any number of slots; only their number shows in the code. */
const anyArguments = (): ModelValue[][] =>
  Array.from({ length: MAX_ARG_SLOTS + 1 }, (_, slots) =>
    // Up to twelve arguments of one slot, beyond that structs of two.
    Array.from({ length: Math.min(slots, 12) }, (_, i) => ({
      size: i < slots - 12 ? 16 : 8,
      signed: false,
      isStruct: true,
    })),
  );

/** Where a record does not tell the result: void or any size that the kernel takes. */
const anyResult = (): ModelValue[] => [
  { size: 0, signed: false },
  ...[1, 2, 4, 8].flatMap((size) => [false, true].map((signed) => ({ size, signed }))),
];

/** Compares with the candidate that agrees longest; more than one only where the record lacks an input. */
function compareBest(
  check: RecordCheck,
  image: Fields,
  candidates: readonly TrampolineModel[],
  facts: KernelFacts,
): void {
  check.count('trampolines');
  const recorded = image.bytes('image');
  let best: { readonly agrees: number; readonly detail: string | undefined } | undefined;
  for (const model of candidates) {
    const trampoline = compileTrampoline(facts.profile, model);
    const agrees = commonPrefix(trampoline.image, recorded);
    if (best && agrees <= best.agrees) continue;
    const detail = imageDifference(trampoline.image, recorded, {
      address: trampoline.address,
      rule: (offset) => why(trampoline, offset)?.rule,
    });
    best = { agrees, detail };
    if (detail === undefined) break;
  }
  check.expect(`trampoline ${image.text('sym')}`, best?.detail);
}

function commonPrefix(a: Uint8Array, b: Uint8Array): number {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at++;
  return at;
}

/** `[byte offset, target, symbol, {constant argument registers}]`; the original is `NAME+4` or `NAME+8`. */
function callsOf(image: Fields): SeenCall[] {
  return image.rows('calls').map(([, target, symbol, constants]) => {
    const a0 = (constants as { readonly a0?: unknown } | undefined)?.a0;
    return {
      target: addressOf(target, image.where),
      symbol: String(symbol),
      a0: typeof a0 === 'string' ? addressOf(a0, image.where) : undefined,
      isOriginal: isPastEntry(String(symbol)),
    };
  });
}

/** @throws EngineError `usage/vectors` */
function addressOf(value: unknown, where: string): bigint {
  const address = addressIn(value);
  if (address !== undefined) return address;
  throw new EngineError(
    'usage/vectors',
    `${where}.calls holds ${JSON.stringify(value)} where an address must be.`,
    {
      where,
    },
  );
}

/** The original is called behind its patched entry. */
export const isPastEntry = (symbol: string): boolean => /\+[48]$/.test(symbol);

type Kind = 'fentry' | 'fexit' | 'fmod_ret' | 'fsession';

/** `bpf_attach_type_to_tramp`: LSM programs replace the result of hooks that have one. */
function kindOf(load: Fields, voidResult: boolean): Kind {
  switch (load.number('attach_type')) {
    case ATTACH.fexit:
      return 'fexit';
    case ATTACH.fmodRet:
      return 'fmod_ret';
    case ATTACH.lsmMac:
      return voidResult ? 'fexit' : 'fmod_ret';
    case ATTACH.fsession:
      return 'fsession';
    default:
      return 'fentry';
  }
}

/** `bpf_trampoline_enter`, `bpf_trampoline_exit`: which pair a program gets. */
function programOf({ load, prog, cookie }: Attachable, facts: KernelFacts): TrampolineProgram {
  const type = load.number('prog_type');
  const sleepable = (load.number('prog_flags') & F_SLEEPABLE) !== 0 ? '_sleepable' : '';
  const suffix =
    type === PROG_TYPE.tracing
      ? `${sleepable}_recur`
      : type === PROG_TYPE.lsm && load.number('attach_type') === ATTACH.lsmCgroup
        ? '_lsm_cgroup'
        : sleepable;
  return {
    prog,
    bpfFunc: load.objects('funcs')[0]!.address('addr'),
    jited: true,
    cookie,
    enter: facts.symbol(`__bpf_prog_enter${suffix}`),
    exit: facts.symbol(`__bpf_prog_exit${suffix}`),
    session: load.number('attach_type') === ATTACH.fsession,
    sessionCookie:
      load.has('kfuncs') && load.rows('kfuncs').some(([, name]) => name === 'bpf_session_cookie'),
  };
}

function callsHelper(load: Fields, id: number): boolean {
  return decodeInsns(load.bytes('insns')).some(
    (insn) => insn.code === CALL && insn.src === 0 && insn.imm === id,
  );
}

/** The patched entry of a BPF program must hold the jump to its trampoline. */
function checkPoke(check: RecordCheck, step: Fields, trampoline: bigint): void {
  const entry = step.address('addr') + BigInt(BYTES_BEFORE_ENTRY);
  const patched = pokeText(entry, { kind: 'call', target: trampoline });
  check.count('text pokes');
  const recorded = step.bytes('bytes').subarray(BYTES_BEFORE_ENTRY, BYTES_BEFORE_ENTRY + patched.length);
  check.expect('patched entry', imageDifference(patched, recorded, { address: entry }));
}
