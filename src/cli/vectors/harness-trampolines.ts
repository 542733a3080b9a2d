import { EngineError } from '../../engine/base/errors';
import { compileTrampoline, type Trampoline } from '../../engine/jit/trampoline/trampoline';
import type { TrampolineModel, TrampolineProgram } from '../../engine/jit/trampoline/model';
import { why } from '../../engine/jit/lookup';
import { imageDifference, listDifference, valueDifference } from './difference';
import type { Fields } from './fields';
import { harnessProfile, MODEL_SIGNED, MODEL_STRUCT } from './harness';
import type { RecordCheck } from './report';

/** A harness trampoline record: image, frame offsets, sizes and the places that get patched. */
export function checkHarnessTrampoline(check: RecordCheck, record: Fields, name: string): void {
  check.count('trampolines');
  const profile = harnessProfile(record);
  const model = trampolineModel(record, name);
  if (record.has('error')) {
    check.expect(
      'refusal',
      valueDifference(
        'made',
        madeOrRefused(() => compileTrampoline(profile, model)),
        'refused',
      ),
    );
    return;
  }
  const trampoline = compileTrampoline(profile, model);
  check.expect(
    'image',
    imageDifference(trampoline.image, record.bytes('image'), {
      address: trampoline.address,
      rule: (offset) => why(trampoline, offset)?.rule,
    }),
  );
  checkFrame(check, trampoline, record.object('frame'));
  const { allocSize, ipAfterCall, ipEpilogue } = trampoline;
  for (const [key, ours] of [
    ['alloc_size', allocSize],
    ['len', trampoline.image.length],
    ['ip_after_call', ipAfterCall],
    ['ip_epilogue', ipEpilogue],
  ] as const) {
    if (record.has(key)) check.expect(key, valueDifference(key, ours, record.number(key)));
  }
  if (record.has('skips')) {
    const ours = trampoline.skips.flatMap(({ nop, end }) => [nop, end]);
    check.expect('skips', listDifference('nop, target', ours, record.rows('skips').flat().map(Number)));
  }
}

function madeOrRefused(make: () => unknown): string {
  try {
    make();
    return 'made';
  } catch (error) {
    if (error instanceof EngineError) return 'refused';
    throw error;
  }
}

function checkFrame(check: RecordCheck, trampoline: Trampoline, frame: Fields): void {
  const { frameOffsets: f } = trampoline;
  const ours: Readonly<Record<string, number>> = {
    retval_off: f.retvalOff,
    args_off: f.argsOff,
    nregs_off: f.nregsOff,
    ip_off: f.ipOff,
    cookie_off: f.cookieOff,
    run_ctx_off: f.runCtxOff,
    sreg_off: f.sregOff,
    tcc_off: f.tccOff,
    stk_arg_off: f.stkArgOff,
    stack_size: f.stackSize,
    nr_arg_slots: f.argSlots,
  };
  for (const key of frame.keys()) check.expect('frame', valueDifference(key, ours[key], frame.number(key)));
}

/** What a harness trampoline record gives arch_prepare_bpf_trampoline. */
export function trampolineModel(record: Fields, name: string): TrampolineModel {
  const addresses = record.object('addresses');
  const links = record.object('links');
  const flags = record.numbers('arg_flags');
  const programs = (key: string): TrampolineProgram[] =>
    links.objects(key).map((link) => programOf(link, addresses));
  return {
    name,
    flags: record.number('flags'),
    args: record.numbers('arg_size').map((size, i) => ({
      size,
      signed: ((flags[i] ?? 0) & MODEL_SIGNED) !== 0,
      isStruct: ((flags[i] ?? 0) & MODEL_STRUCT) !== 0,
    })),
    result: { size: record.number('ret_size'), signed: (record.number('ret_flags') & MODEL_SIGNED) !== 0 },
    structOps: record.flag('struct_ops'),
    funcAddress: record.address('func_addr'),
    imageAddress: record.address('image_addr'),
    imAddress: record.address('im_addr'),
    fentry: programs('fentry'),
    fexit: programs('fexit'),
    fmodRet: programs('fmod_ret'),
    trampEnter: addresses.address('tramp_enter'),
    trampExit: addresses.address('tramp_exit'),
    typeWord: record.has('cfi_hash') ? Number(record.address('cfi_hash')) : undefined,
  };
}

function programOf(link: Fields, addresses: Fields): TrampolineProgram {
  const suffix = link.flag('sleepable') ? '_sleepable' : '';
  return {
    prog: link.address('prog'),
    bpfFunc: link.address('bpf_func'),
    jited: link.flag('jited'),
    insnsi: link.address('insnsi'),
    cookie: link.address('cookie'),
    enter: addresses.address(`prog_enter${suffix}`),
    exit: addresses.address(`prog_exit${suffix}`),
    session: link.flag('fsession'),
    sessionCookie: link.flag('session_cookie'),
  };
}
