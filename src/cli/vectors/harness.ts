import { createHash } from 'node:crypto';
import { EngineError } from '../../engine/base/errors';
import { decodeInsns } from '../../engine/bpf/bytes';
import type { BpfInsn } from '../../engine/bpf/insn';
import { compileProgram } from '../../engine/jit/subprograms';
import type { JitFunction, JitInput } from '../../engine/jit/types';
import type { KernelVersion, StructLayout } from '../../engine/profile/profile';
import type { Profile } from '../../engine/jit/profile';
import { SCHEME_NAMES } from '../../engine/jit/tcc/index';
import { KERNELS, LAYOUTS } from '../../engine/profile/kernels';
import { hexToBytes } from '../../engine/base/hex';
import { imageDifference, listDifference, valueDifference } from './difference';
import type { Fields } from './fields';
import type { RecordCheck } from './report';

/** Bit of a model's flags that marks a signed value, and one that marks a struct (BTF_FMODEL_*). */
export const MODEL_STRUCT = 1;
export const MODEL_SIGNED = 2;

/** The kernel of a version text such as `7.3-rc7` or `6.12.107+v1`. @throws EngineError `usage/vectors` */
export function kernelOf(version: string): KernelVersion {
  const short = /^\d+\.\d+/.exec(version)?.[0];
  const kernel = KERNELS.find((known) => known === short);
  if (kernel) return kernel;
  throw new EngineError(
    'usage/vectors',
    `The record is of kernel ${version}; known are ${KERNELS.join(', ')}.`,
    { version },
  );
}

/** The profile that a harness record's config and layout describe. */
export function harnessProfile(record: Fields): Profile {
  const config = record.object('config');
  const kernel = kernelOf(config.text('kernel'));
  const word = config.text('tcc_scheme');
  const tcc = SCHEME_NAMES.find((scheme) => scheme === word);
  if (!tcc)
    throw new EngineError('usage/vectors', `Unknown TCC scheme '${word}' in ${record.where}.`, {
      scheme: word,
    });
  return {
    kernel,
    tcc,
    isa: {
      c: config.flag('rvc'),
      zba: config.flag('zba'),
      zbb: config.flag('zbb'),
      zacas: config.flag('zacas'),
    },
    cfi: config.flag('cfi'),
    layout: record.has('layout') ? harnessLayout(record.object('layout'), kernel) : LAYOUTS[kernel],
    faults: [],
  };
}

function harnessLayout(layout: Fields, kernel: KernelVersion): StructLayout {
  return {
    ...LAYOUTS[kernel],
    bpfArrayMaxEntries: layout.number('max_entries'),
    bpfArrayPtrs: layout.number('ptrs'),
    bpfProgBpfFunc: layout.number('bpf_func'),
    threadInfoCpu: layout.number('ti_cpu'),
  };
}

/** JIT input of a harness program record, without a repetition of its instructions. */
export const programInput = (record: Fields, name: string): JitInput =>
  harnessInput(record, record, name, decodeInsns(record.bytes('insns')));

/** JIT input of a program record; `surroundings` is the record that holds what its programs share. */
export function harnessInput(
  program: Fields,
  surroundings: Fields,
  name: string,
  insns: readonly BpfInsn[],
): JitInput {
  const subprogs = program.has('subprogs')
    ? program.objects('subprogs').map((subprog, i) => ({
        name: i === 0 ? name : `${name}.${i}`,
        start: subprog.number('start'),
        stackDepth: subprog.number('stack_depth'),
        tailCallReachable: subprog.flag('tail_call_reachable'),
      }))
    : [{ name, start: 0, stackDepth: 0, tailCallReachable: false }];
  const addresses = surroundings.has('addresses') ? surroundings.object('addresses') : undefined;
  const arena = program.has('arena') ? program.object('arena') : undefined;
  const cfi = program.has('cfi_hash') ? program.object('cfi_hash') : undefined;
  return {
    name,
    insns,
    subprogs,
    verifierZext: surroundings.object('config').flag('verifier_zext'),
    callBase: surroundings.address('call_base'),
    addresses: {
      perCpuOffset: addresses?.address('per_cpu_offset') ?? 0n,
      timedMayGoto: addresses?.address('timed_may_goto'),
    },
    arena: arena && {
      kernVmStart: arena.address('kern_vm_start'),
      userVmStart: arena.address('user_vm_start'),
    },
    kfuncs: program.has('kfuncs') ? program.objects('kfuncs').map(kfuncModel) : undefined,
    cfiHash: cfi && { main: Number(cfi.address('main')), subprog: Number(cfi.address('subprog')) },
    acceptsStrayJumps: true,
  };
}

function kfuncModel(kfunc: Fields) {
  return {
    imm: kfunc.number('imm'),
    argSizes: kfunc.numbers('arg_size'),
    argSigned: kfunc.numbers('arg_flags').map((flags) => (flags & MODEL_SIGNED) !== 0),
  };
}

/** A harness program record: images, offsets, exception tables and what the record tells about the passes. */
export function checkHarnessProgram(check: RecordCheck, record: Fields, name: string): void {
  const input = programInput(record, name);
  checkFunctions(check, input, harnessProfile(record), record.objects('funcs'));
}

/** The images inside a tail call scenario; what it computes is another mode's matter. */
export function checkScenarioImages(check: RecordCheck, record: Fields): void {
  const profile = harnessProfile(record);
  record.objects('programs').forEach((program, i) => {
    const input = harnessInput(program, record, `program ${i}`, decodeInsns(program.bytes('insns')));
    checkFunctions(check, input, profile, program.objects('funcs'));
  });
}

function checkFunctions(
  check: RecordCheck,
  input: JitInput,
  profile: Profile,
  recorded: readonly Fields[],
): void {
  const functions = compileAt(check, profile, input, recorded);
  functions.forEach((fn, i) => {
    const expected = recorded[i]!;
    check.count('functions');
    const insns = input.insns.slice(fn.start, fn.end);
    check.expect(
      `image of ${fn.name}`,
      imageDifference(fn.image, expected.bytes('image'), { address: fn.base, fn, insns }),
    );
    checkNumbers(check, fn, expected);
    if (expected.has('offsets')) {
      check.expect(
        `offsets of ${fn.name}`,
        listDifference('offsets', [...fn.offsets], expected.numbers('offsets')),
      );
    }
    if (expected.has('extable')) checkExtable(check, fn, expected);
  });
}

/**
 * The functions, compiled for the addresses that the record tells; none if it has more or fewer than the program, since what
 * either side has alone would go unseen.
 */
function compileAt(
  check: RecordCheck,
  profile: Profile,
  input: JitInput,
  recorded: readonly Fields[],
): readonly JitFunction[] {
  const count = valueDifference('number of functions', input.subprogs.length, recorded.length);
  check.expect('functions', count);
  if (count !== undefined) return [];
  return compileProgram(profile, input, { place: (index) => recorded[index]!.address('base') }).functions;
}

/** The numbers beside the image, each only where the record has it. */
function checkNumbers(check: RecordCheck, fn: JitFunction, expected: Fields): void {
  const numbers: readonly (readonly [string, number | undefined])[] = [
    ['jited_len', fn.jitedLen],
    ['final_len', fn.finalLen],
    ['prologue_len', fn.prologueLen],
    ['epilogue_offset', fn.epilogueOffset],
    ['stack_size', fn.stackSize],
    ['tcc_slot', fn.tccSlot],
  ];
  for (const [key, ours] of numbers) {
    if (expected.has(key))
      check.expect(`${key} of ${fn.name}`, valueDifference(key, ours, expected.number(key)));
  }
  if (expected.has('bpf_func')) {
    check.expect(
      `entry of ${fn.name}`,
      valueDifference('bpf_func', fn.bpfFunc, expected.address('bpf_func')),
    );
  }
}

function checkExtable(check: RecordCheck, fn: JitFunction, expected: Fields): void {
  const what = `exception table of ${fn.name}`;
  check.expect(what, valueDifference('extable_off', fn.extableOffset, expected.number('extable_off')));
  const view = new DataView(fn.extableBytes.buffer, fn.extableBytes.byteOffset);
  const entries = expected.objects('extable');
  const ours = fn.extable.flatMap((entry, i) => [
    entry.insnOffset,
    entry.resumeOffset,
    entry.register,
    view.getInt32(12 * i, true),
    view.getUint32(12 * i + 4, true),
    view.getInt16(12 * i + 8, true),
  ]);
  const recorded = entries.flatMap((entry) => [
    entry.number('insn_off'),
    entry.number('resume_off'),
    entry.number('reg'),
    entry.number('insn'),
    entry.number('fixup') >>> 0,
    entry.number('type'),
  ]);
  check.expect(what, listDifference('insn_off, resume_off, reg, insn, fixup, type', ours, recorded));
}

/** Four times BPF_COMPLEXITY_LIMIT_INSNS, the longest program that a kernel loads: no verifier bounds the harness. */
const MAX_RECIPE_INSNS = 4_000_000;

/** JIT input of a recipe record: a program given by repetition. */
export function recipeInput(record: Fields, name: string): JitInput {
  const insns: BpfInsn[] = [];
  for (const [hex, repeat] of record.rows('insns_rle')) {
    const piece = decodeInsns(hexToBytes(String(hex)));
    const times = Number(repeat);
    if (!(insns.length + piece.length * times <= MAX_RECIPE_INSNS)) {
      throw new EngineError(
        'usage/vectors',
        `The recipe repeats ${String(hex)} ${String(repeat)} times; more than ${MAX_RECIPE_INSNS} instructions are not compiled here.`,
        { repeat: times },
      );
    }
    for (let i = 0; i < times; i++) insns.push(...piece);
  }
  return harnessInput(record, record, name, insns);
}

/** A recipe: its image is recorded by hash, first and last bytes. */
export function checkRecipe(check: RecordCheck, record: Fields, name: string): void {
  const recorded = record.objects('funcs');
  const input = recipeInput(record, name);
  const { insns } = input;
  const functions = compileAt(check, harnessProfile(record), input, recorded);
  functions.forEach((fn, i) => {
    const expected = recorded[i]!;
    check.count('functions');
    const hash = createHash('sha256').update(fn.image).digest('hex');
    const head = expected.bytes('image_head');
    const tail = expected.bytes('image_tail');
    const context = { address: fn.base, fn, insns };
    check.expect('first bytes', imageDifference(fn.image.subarray(0, head.length), head, context));
    check.expect(
      'last bytes',
      imageDifference(fn.image.subarray(fn.image.length - tail.length), tail, { address: 0n }),
    );
    check.expect('image', valueDifference('SHA-256', hash, expected.text('image_sha256')));
    checkNumbers(check, fn, expected);
    const first = expected.numbers('offsets_head');
    const last = expected.numbers('offsets_tail');
    check.expect('offsets', listDifference('offsets_head', [...fn.offsets.slice(0, first.length)], first));
    check.expect('offsets', listDifference('offsets_tail', [...fn.offsets.slice(-last.length)], last));
  });
}
