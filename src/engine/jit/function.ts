import { tailCallOffset } from './epilogue';
import { encodeExtable } from './extable';
import { frameLayout } from './frame';
import type { Compilation } from './passes';
import { passLog } from './pass-log';
import type { JitFunction, Piece, UnwindRow } from './types';

const TYPE_WORD_BYTES = 4;

/** The record of a function whose last pass is done. */
export function finishFunction(compilation: Compilation): JitFunction {
  const { ctx, unit, base, image, extableOffset } = compilation;
  const finalLen = 2 * ctx.e.ninsns;
  // Functions of larger programs are measured again in the extra pass; others report what was allocated (spec 7.5).
  const imageLen = unit.isFunc ? finalLen : 2 * image.length;
  const entry = unit.typeWord === undefined ? 0 : TYPE_WORD_BYTES;
  const bpfFunc = base + BigInt(entry);
  const extable = ctx.extable.list();
  const piecesOf = ctx.e.recorder?.finish(finalLen) ?? ((): readonly Piece[] => []);
  const unwindOf = ctx.unwind?.finish() ?? ((): readonly UnwindRow[] => []);
  return {
    name: unit.name,
    index: unit.index,
    start: unit.start,
    end: unit.start + unit.code.length,
    base,
    bpfFunc,
    tailCallEntry: bpfFunc + BigInt(tailCallOffset(ctx)),
    image: halfwordsToBytes(image, imageLen),
    jitedLen: imageLen - entry,
    finalLen,
    prologueLen: 2 * ctx.prologueLen,
    epilogueOffset: 2 * ctx.epilogueOffset,
    stackSize: ctx.stackSize,
    tccSlot: frameLayout(ctx).slots.find((slot) => slot.kind === 'tcc')?.spOffset,
    offsets: Uint32Array.from(ctx.offset, (halfwords) => 2 * halfwords),
    ends: Uint32Array.from(ctx.ends, (halfwords) => 2 * halfwords),
    extable,
    extableOffset,
    extableBytes: encodeExtable(extable, extableOffset),
    frame: frameLayout(ctx),
    get unwind() {
      return unwindOf();
    },
    get pieces() {
      return piecesOf();
    },
    passes: passLog(compilation.passes),
  };
}

function halfwordsToBytes(code: Uint16Array, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 2) {
    const half = code[at >> 1] ?? 0;
    bytes[at] = half;
    bytes[at + 1] = half >> 8;
  }
  return bytes;
}
