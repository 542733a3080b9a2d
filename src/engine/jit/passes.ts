import { EngineError } from '../base/errors';
import { JitContext } from './context';
import { buildEpilogue } from './epilogue';
import { EXTABLE_ENTRY_BYTES } from './extable';
import { lowerInsn } from './lower/insn';
import { PieceRecorder } from './pieces';
import { RV } from './registers';
import type { PassKind, PassWatcher } from './pass-log';
import type { Unit } from './unit';
import { UnwindRecorder } from './unwind';
import { buildPrologue } from './prologue';

/** NR_JIT_ITERATIONS */
const MAX_ROUNDS = 32;
/** The first guess: every slot becomes this many halfwords, more than any but the longest do. */
const GUESSED_HALFWORDS = 32;

/** Asks for room: address of an image of `size` bytes with an exception table of `extableSize` bytes behind it. */
export type Allocate = (size: number, extableSize: number) => bigint;

/** The work on one function: state that outlives the passes (`struct rv_jit_data`). */
export interface Compilation {
  readonly unit: Unit;
  readonly ctx: JitContext;
  /** Address of the first byte. */
  readonly base: bigint;
  /** The buffer as allocated, in halfwords; it keeps what earlier passes left behind the end of the last one. */
  readonly image: Uint16Array;
  /** Bytes from the image's first byte to its exception table: fixed when the image is allocated. */
  readonly extableOffset: number;
}

const unwatched: PassWatcher = () => undefined;

/**
 * Runs the passes of one function until its size stands, allocates its image and writes it (`bpf_int_jit_compile`,
 * spec 7.2). Functions of a program with several need {@link extraPass} afterwards.
 * @param watch is told when each pass has ended
 * @throws EngineError `jit/convergence` after 32 rounds; errors of the lowering with slot and text
 */
export function compileUnit(unit: Unit, allocate: Allocate, watch: PassWatcher = unwatched): Compilation {
  const ctx = new JitContext(unit);
  buildBody(ctx);
  watch('dry-run', ctx);
  const extableSize = ctx.extable.list().length * EXTABLE_ENTRY_BYTES;
  ctx.extable.restart(false);

  const { offset } = ctx;
  for (let i = 0; i < offset.length; i++) offset[i] = GUESSED_HALFWORDS * (i + 1);
  let previous = GUESSED_HALFWORDS * offset.length;
  let image: Uint16Array | undefined;
  let before: Int32Array = new Int32Array();
  ctx.writesOffsets = true;
  for (let round = 0; ; round++) {
    if (round === MAX_ROUNDS) throw noConvergence(ctx, before);
    if (round === MAX_ROUNDS - 1) before = sizesOf(ctx);
    const total = runPass(ctx);
    watch('round', ctx);
    const hurried = ctx.faults['image-not-converged'];
    if (total === previous || hurried) {
      if (image !== undefined) break;
      image = new Uint16Array(total);
      ctx.placeAt(allocate(2 * total, extableSize));
      ctx.e.attach(image);
      if (hurried) break;
    }
    previous = total;
  }
  ctx.writesOffsets = false;
  const base = ctx.imageBase ?? 0n;
  const compilation = { unit, ctx, base, image, extableOffset: image.length * 2 };
  lastPass(compilation, unit.isFunc ? 'first-image' : 'final', watch);
  return compilation;
}

/**
 * Translates once more, now that the addresses of all functions are known (jit_subprogs' second loop, spec 7.3). Lengths
 * must be those of the passes before, since every offset was taken from them.
 * @param calleeAddress address of the function that the call or function reference at a slot means
 */
export function extraPass(
  compilation: Compilation,
  calleeAddress: (slot: number) => bigint,
  watch: PassWatcher = unwatched,
): void {
  compilation.ctx.extraPass = true;
  compilation.ctx.calleeAddress = calleeAddress;
  lastPass(compilation, 'final', watch);
}

/** Writes the bytes that stay, with the records of where they come from. */
function lastPass(compilation: Compilation, kind: PassKind, watch: PassWatcher): void {
  const { ctx, unit, image } = compilation;
  ctx.extable.restart(true);
  if (kind === 'final') {
    ctx.e.recorder = new PieceRecorder();
    ctx.unwind = new UnwindRecorder(RV.ra);
  }
  const total = runPass(ctx);
  watch(kind, ctx);
  if (total > image.length) {
    throw new EngineError(
      'jit/overflow',
      `${unit.name} became ${2 * total} bytes long in its last pass, but ${2 * image.length} were allocated.`,
      { function: unit.name, bytes: 2 * total, allocated: 2 * image.length },
    );
  }
}

/** Prologue, body, epilogue. @returns their size in halfwords */
function runPass(ctx: JitContext): number {
  const { e } = ctx;
  e.ninsns = 0;
  buildPrologue(ctx);
  ctx.prologueLen = e.ninsns;
  buildBody(ctx);
  ctx.epilogueOffset = e.ninsns;
  if (e.recorder) e.recorder.insn = -1;
  buildEpilogue(ctx, 'return');
  return e.ninsns;
}

/**
 * Translates the slots one by one (`build_body`). Of two slots translated together only the second one's offset is
 * written, as the kernel does; {@link JitContext.ends} gets both.
 */
function buildBody(ctx: JitContext): void {
  const { e, unit, offset, ends, writesOffsets } = ctx;
  const { length } = unit.code;
  const { recorder } = e;
  for (let i = 0; i < length; i++) {
    if (recorder !== null) recorder.insn = i;
    const start = i;
    i += lowerInsn(ctx, i);
    const end = e.ninsns;
    ends[start] = end;
    ends[i] = end;
    if (writesOffsets) offset[i] = end;
  }
}

/** Halfwords of each slot's code in the latest pass. */
function sizesOf({ ends, prologueLen }: JitContext): Int32Array {
  return ends.map((end, i) => end - (i > 0 ? (ends[i - 1] ?? 0) : prologueLen));
}

/** Names the first instruction that still moves. @param before sizes in the last pass but one */
function noConvergence(ctx: JitContext, before: Int32Array): EngineError {
  const sizes = sizesOf(ctx);
  const slot = sizes.findIndex((size, i) => size !== before[i]);
  const change =
    slot < 0
      ? ''
      : `, this one from ${2 * (before[slot] ?? 0)} to ${2 * (sizes[slot] ?? 0)} bytes in the last`;
  return ctx.error(
    'jit/convergence',
    Math.max(slot, 0),
    `the code still changes its size after ${MAX_ROUNDS} passes${change}; the kernel gives up here, too.`,
  );
}
