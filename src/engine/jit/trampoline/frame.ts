import { EngineError } from '../../base/errors';
import type { JitFacts } from '../../profile/jit-facts';
import { checkFrameSize } from '../frame';
import { RV } from '../registers';
import type { FrameLayout, FrameSlot } from '../types';
import { TRAMP_FLAG, type TrampolineModel } from './model';

/** Arguments that travel in registers, a0 to a7. */
export const REGISTER_ARGS = 8;

/** sizeof(struct bpf_tramp_run_ctx): bpf_cookie, saved_run_ctx */
const RUN_CTX_BYTES = 16;

/**
 * Where the parts of a trampoline's frame lie: bytes from each part's lowest byte up to the trampoline's fp (spec 8.2; the
 * names are those of __arch_prepare_bpf_trampoline). 0 where a part is missing.
 */
export interface TrampolineFrame {
  readonly retvalOff: number;
  readonly argsOff: number;
  readonly nregsOff: number;
  readonly ipOff: number;
  readonly cookieOff: number;
  readonly runCtxOff: number;
  readonly sregOff: number;
  readonly tccOff: number;
  readonly stkArgOff: number;
  readonly stackSize: number;
  /** 8-byte slots of all arguments. */
  readonly argSlots: number;
  /** The result is kept: there is an original to call, or struct_ops returns one. */
  readonly savesResult: boolean;
  /** Session programs with a cookie. */
  readonly cookies: number;
}

const slotsOf = (size: number): number => Math.ceil(size / 8);

/**
 * Lays out the frame.
 * @param tccSlot the scheme wants a slot and the target may be reached by tail calls
 * @throws EngineError `jit/trampoline` for more arguments than the kernel takes
 */
export function layOutFrame(model: TrampolineModel, facts: JitFacts, tccSlot: boolean): TrampolineFrame {
  const argSlots = model.args.reduce((sum, { size }) => sum + slotsOf(size), 0);
  checkArguments(model, facts, argSlots);
  const has = (flag: number): boolean => (model.flags & flag) !== 0;
  const savesResult = has(TRAMP_FLAG.CALL_ORIG | TRAMP_FLAG.RET_FENTRY_RET);
  const cookies = model.fentry.filter((program) => program.session && program.sessionCookie).length;

  let size = 16; // return address and frame pointer
  const take = (bytes: number): number => (size += bytes);
  const retvalOff = take(savesResult ? 16 : 0);
  const argsOff = take(8 * argSlots);
  const nregsOff = take(8);
  const ipOff = has(TRAMP_FLAG.IP_ARG) ? take(8) : 0;
  const cookieOff = cookies > 0 ? take(8 * cookies) : 0;
  const runCtxOff = take(RUN_CTX_BYTES);
  const sregOff = take(8);
  const tccOff = tccSlot ? take(8) : 0;
  const onStack = has(TRAMP_FLAG.CALL_ORIG) ? Math.max(0, argSlots - REGISTER_ARGS) : 0;
  take(8 * onStack);
  const stackSize = Math.ceil(size / 16) * 16;
  checkFrameSize(model.name, stackSize);
  const stkArgOff = onStack > 0 ? stackSize : 0;
  return {
    retvalOff,
    argsOff,
    nregsOff,
    ipOff,
    cookieOff,
    runCtxOff,
    sregOff,
    tccOff,
    stkArgOff,
    stackSize,
    argSlots,
    savesResult,
    cookies,
  };
}

function checkArguments(model: TrampolineModel, facts: JitFacts, argSlots: number): void {
  const odd = model.args.findIndex(({ size }) => !Number.isInteger(size) || size < 0);
  if (odd >= 0) {
    throw new EngineError(
      'jit/trampoline',
      `Argument ${odd + 1} of ${model.name} has ${model.args[odd]!.size} bytes; give the size of its type.`,
      { function: model.name, argument: odd },
    );
  }
  const { argumentLimit } = facts.trampoline;
  const count = argumentLimit.unit === 'slots' ? argSlots : model.args.length;
  if (count > argumentLimit.count) {
    throw new EngineError(
      'jit/trampoline',
      `${model.name} takes ${model.args.length} arguments in ${argSlots} slots; this kernel traces functions with at most ${argumentLimit.count} ${argumentLimit.unit}.`,
      { function: model.name, args: model.args.length, slots: argSlots },
    );
  }
  const wide = model.args.findIndex(({ size, isStruct }) => size > 8 && isStruct !== true);
  if (facts.trampoline.wideArgumentsAreStructs && wide >= 0) {
    throw new EngineError(
      'jit/trampoline',
      `Argument ${wide + 1} of ${model.name} has more than 8 bytes and is no struct; this kernel does not trace such functions.`,
      { function: model.name, argument: wide },
    );
  }
}

const ORDINALS = [
  ...['first', 'second', 'third', 'fourth', 'fifth', 'sixth'],
  ...['seventh', 'eighth', 'ninth', 'tenth', 'eleventh', 'twelfth'],
];

/**
 * Of each argument slot, where some take more than one: which argument it belongs to, and which of its bytes. Slots count
 * from 0, so arguments go by words.
 */
function slotContents(args: TrampolineModel['args']): string[] {
  const plain = args.every(({ size }) => slotsOf(size) === 1);
  return args.flatMap(({ size }, i) =>
    Array.from({ length: slotsOf(size) }, (_, half) => {
      if (plain) return '';
      const bytes = `bytes ${8 * half} to ${Math.min(size, 8 * half + 8) - 1} of `;
      return `: ${slotsOf(size) > 1 ? bytes : ''}the ${ORDINALS[i]} argument`;
    }),
  );
}

/** The frame layout record: offsets from sp and fp of a trampoline whose frame is set up. */
export function trampolineFrameLayout(model: TrampolineModel, frame: TrampolineFrame): FrameLayout {
  const pseudo = model.structOps ? 0 : 16;
  const size = frame.stackSize + pseudo;
  const slots: FrameSlot[] = [];
  let top = pseudo;
  /** A slot whose lowest byte is `off` below fp; what is left above it is padding. */
  const add = (
    off: number,
    bytes: number,
    name: string,
    why: string,
    more: Partial<FrameSlot> = {},
  ): void => {
    const fpOffset = -off;
    const gap = top - (fpOffset + bytes);
    if (gap > 0) {
      slots.push({
        name: 'padding',
        kind: 'padding',
        spOffset: frame.stackSize + fpOffset + bytes,
        fpOffset: fpOffset + bytes,
        size: gap,
        why: 'The stack pointer stays a multiple of 16.',
      });
    }
    slots.push({
      name,
      kind: 'trampoline',
      spOffset: frame.stackSize + fpOffset,
      fpOffset,
      size: bytes,
      why,
      ...more,
    });
    top = fpOffset;
  };

  if (model.structOps) {
    add(8, 8, 'saved ra', 'Returns to the kernel, which called this stub.', { kind: 'ra', register: 1 });
    add(16, 8, 'saved fp', 'The caller’s frame pointer.', { kind: 'fp', register: 8 });
  } else {
    add(-8, 8, 'saved ra', 'The traced function’s return address: its frame as if it had made it itself.', {
      kind: 'ra',
      register: 1,
    });
    add(0, 8, 'saved fp', 'The frame pointer of the traced function’s caller.', { kind: 'fp', register: 8 });
    add(8, 8, 'return into the traced function', 't0: where the patched entry goes on.', { register: 5 });
    add(16, 8, 'fp of the traced function', 'So that frame pointers form an unbroken chain.', {
      kind: 'fp',
      register: RV.fp,
    });
  }
  if (frame.savesResult) {
    add(frame.retvalOff - 8, 8, 'R0', 'a5 of the original or of the last program, as BPF callers see it.', {
      register: RV.a5,
    });
    add(frame.retvalOff, 8, 'result', 'a0 of the original or of the last program; fexit programs read it.', {
      register: RV.a0,
    });
  }
  const holds = slotContents(model.args);
  for (let k = frame.argSlots - 1; k >= 0; k--) {
    // Those beyond a7 come by way of a scratch register from the caller's stack.
    const from = k < REGISTER_ARGS ? { register: RV.a0 + k } : {};
    add(frame.argsOff - 8 * k, 8, `argument ${k}`, `ctx[${k}] of the programs${holds[k]}.`, from);
  }
  add(frame.nregsOff, 8, 'argument count', 'ctx[-1]: number of argument slots, for bpf_get_func_arg_cnt.');
  if (frame.ipOff > 0) add(frame.ipOff, 8, 'function ip', 'ctx[-2]: for bpf_get_func_ip.');
  for (let k = 0; k < frame.cookies; k++) {
    add(
      frame.cookieOff - 8 * (frame.cookies - 1 - k),
      8,
      `session cookie ${k}`,
      'Kept between the entry and exit runs of a session.',
    );
  }
  add(frame.runCtxOff - 8, 8, 'saved_run_ctx', 'bpf_tramp_run_ctx: the run context to go back to.');
  add(frame.runCtxOff, 8, 'bpf_cookie', 'bpf_tramp_run_ctx: cookie of the attachment that runs.');
  add(frame.sregOff, 8, 'saved s1', 's1 keeps the start time of a program.', {
    kind: 'saved-register',
    register: 9,
  });
  if (frame.tccOff > 0)
    add(frame.tccOff, 8, 'tcc', 'The tail call counter while C code runs.', { kind: 'tcc', register: 16 });
  for (let k = frame.argSlots - REGISTER_ARGS - 1; k >= 0 && frame.stkArgOff > 0; k--) {
    add(
      frame.stkArgOff - 8 * k,
      8,
      `stack argument ${k + REGISTER_ARGS}`,
      'Where the original looks for it.',
    );
  }
  if (top > -frame.stackSize) add(frame.stackSize, 0, 'end', '');
  if (slots[slots.length - 1]?.size === 0) slots.pop();
  return { size, bpfStackSize: 0, slots };
}
