import { EngineError } from '../base/errors';
import { JitContext } from './context';
import { EXTABLE_ENTRY_BYTES } from './extable';
import { Measuring } from './measure';
import { buildBody, runPass } from './pass';
import { PassRecorder } from './pass-log';
import type { PieceRecorder } from './pieces';
import type { Unit } from './unit';
import type { UnwindRecorder } from './unwind';

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
  readonly log: PassRecorder;
  /** Address of the first byte. */
  readonly base: bigint;
  /** The buffer as allocated, in halfwords; it keeps what earlier passes left behind the end of the last one. */
  readonly image: Uint16Array;
  /** Bytes from the image's first byte to its exception table: fixed when the image is allocated. */
  readonly extableOffset: number;
}

/**
 * Runs the passes of one function until its size stands, allocates its image and writes it (`bpf_int_jit_compile`,
 * spec 7.2). Functions of a program with several need {@link extraPass} afterwards.
 * @throws EngineError `jit/convergence` after 32 rounds; errors of the lowering with slot and text
 */
export function compileUnit(unit: Unit, allocate: Allocate): Compilation {
  const ctx = new JitContext(unit);
  buildBody(ctx);
  const log = new PassRecorder(ctx.sizes.slice(), ctx.e.ninsns);
  ctx.log = log;
  const extableSize = ctx.extable.list().length * EXTABLE_ENTRY_BYTES;
  ctx.extable.restart(false);

  const { offset } = ctx;
  for (let i = 0; i < offset.length; i++) offset[i] = GUESSED_HALFWORDS * (i + 1);
  let previous = GUESSED_HALFWORDS * offset.length;
  let image: Uint16Array | undefined;
  const measuring = new Measuring(ctx);
  ctx.writesOffsets = true;
  for (let round = 0; ; round++) {
    if (round === MAX_ROUNDS) throw noConvergence(ctx, log);
    const total = runPass(ctx, image === undefined ? measuring.body : buildBody);
    log.ended('round', ctx);
    const hurried = ctx.faults['image-not-converged'];
    if (total === previous || hurried) {
      if (image !== undefined) break;
      image = new Uint16Array(total);
      log.allocated();
      ctx.placeAt(allocate(2 * total, extableSize));
      ctx.e.attach(image);
      if (hurried) break;
    }
    previous = total;
  }
  ctx.writesOffsets = false;
  const base = ctx.imageBase ?? 0n;
  const compilation = { unit, ctx, log, base, image, extableOffset: image.length * 2 };
  lastPass(compilation, unit.isFunc ? 'first-image' : 'final');
  return compilation;
}

/**
 * Translates once more, now that the addresses of all functions are known (jit_subprogs' second loop, spec 7.3). Lengths
 * must be those of the passes before, since every offset was taken from them.
 * @param calleeAddress address of the function that the call or function reference at a slot means
 */
export function extraPass(compilation: Compilation, calleeAddress: (slot: number) => bigint): void {
  compilation.ctx.extraPass = true;
  compilation.ctx.calleeAddress = calleeAddress;
  lastPass(compilation, 'final');
}

/** Writes the bytes that stay. */
function lastPass({ ctx, log, unit, image }: Compilation, kind: 'first-image' | 'final'): void {
  ctx.extable.restart(true);
  const total = runPass(ctx, buildBody);
  log.ended(kind, ctx);
  if (total > image.length) {
    throw new EngineError(
      'jit/overflow',
      `${unit.name} became ${2 * total} bytes long in its last pass, but ${2 * image.length} were allocated.`,
      { function: unit.name, bytes: 2 * total, allocated: 2 * image.length },
    );
  }
}

/** Who wants to know more of the last pass than the bytes that it writes. */
export interface Recorders {
  readonly pieces?: PieceRecorder;
  readonly unwind?: UnwindRecorder;
}

/**
 * Runs the last pass of a finished function once more, without an image, for what a recorder learns from it: records take
 * more memory than the code and are rarely asked for, so that no compilation makes them.
 * @returns the code's size in bytes, as before
 */
export function repeatLastPass({ ctx }: Compilation, { pieces, unwind }: Recorders): number {
  ctx.epilogueOffset = ctx.exitTarget;
  ctx.extable.restart(false);
  ctx.e.attach(null);
  ctx.e.recorder = pieces ?? null;
  ctx.unwind = unwind ?? null;
  const total = runPass(ctx, buildBody);
  ctx.e.recorder = null;
  ctx.unwind = null;
  return 2 * total;
}

/** Names the first instruction that still moves. */
function noConvergence(ctx: JitContext, { passes }: PassRecorder): EngineError {
  const [moved] = [...(passes.at(-1)?.changes() ?? [])].sort((a, b) => a.slot - b.slot);
  const change = moved
    ? `, this one from ${passes.at(-2)?.sizes[moved.slot] ?? 0} to ${moved.size} bytes in the last`
    : '';
  return ctx.error(
    'jit/convergence',
    moved?.slot ?? 0,
    `the code still changes its size after ${MAX_ROUNDS} passes${change}; the kernel gives up here, too.`,
  );
}
