import type { JitContext } from './context';
import { tailCallOffset } from './epilogue';
import { encodeExtable } from './extable';
import { frameLayout, savedSlots } from './frame';
import { repeatLastPass, type Compilation } from './passes';
import { PieceRecorder } from './pieces';
import { RV } from './registers';
import type { ExtableEntry, FrameLayout, JitFunction, PassLog, Piece, UnwindRow } from './types';
import { UnwindRecorder } from './unwind';

const TYPE_WORD_BYTES = 4;

/**
 * A function whose last pass is done. What only a debugger asks for is worked out when it is asked for: programs are many
 * and can be long. (Such members are getters of the class; a spread copy of the object does not have them.)
 */
export class CompiledFunction implements JitFunction {
  readonly name: string;
  readonly index: number;
  readonly start: number;
  readonly end: number;
  readonly base: bigint;
  readonly bpfFunc: bigint;
  readonly image: Uint8Array;
  readonly jitedLen: number;
  readonly finalLen: number;
  readonly prologueLen: number;
  readonly epilogueOffset: number;
  readonly stackSize: number;
  readonly extable: readonly ExtableEntry[];
  readonly extableOffset: number;

  constructor(private readonly compilation: Compilation) {
    const { ctx, unit, base, image, extableOffset } = compilation;
    const entry = unit.typeWord === undefined ? 0 : TYPE_WORD_BYTES;
    this.name = unit.name;
    this.index = unit.index;
    this.start = unit.start;
    this.end = unit.start + unit.code.length;
    this.base = base;
    this.bpfFunc = base + BigInt(entry);
    this.finalLen = 2 * ctx.e.ninsns;
    // Functions of larger programs are measured again in the extra pass; others report what was allocated (spec 7.5).
    const imageLen = unit.isFunc ? this.finalLen : 2 * image.length;
    this.image = new Uint8Array(image.buffer, 0, imageLen);
    this.jitedLen = imageLen - entry;
    this.prologueLen = 2 * ctx.prologueLen;
    this.epilogueOffset = 2 * ctx.epilogueOffset;
    this.stackSize = ctx.stackSize;
    this.extable = ctx.extable.list();
    this.extableOffset = extableOffset;
  }

  get tailCallEntry(): bigint {
    return this.bpfFunc + BigInt(tailCallOffset(this.compilation.ctx));
  }

  get tccSlot(): number | undefined {
    const { ctx } = this.compilation;
    return savedSlots(ctx).some((slot) => slot.kind === 'tcc') ? ctx.tccOffset : undefined;
  }

  get extableBytes(): Uint8Array {
    return encodeExtable(this.extable, this.extableOffset);
  }

  private knownOffsets: Uint32Array | undefined;
  get offsets(): Uint32Array {
    return (this.knownOffsets ??= inBytes(this.compilation.ctx.offset));
  }

  private knownEnds: Uint32Array | undefined;
  get ends(): Uint32Array {
    return (this.knownEnds ??= endsOf(this.compilation.ctx));
  }

  private knownFrame: FrameLayout | undefined;
  get frame(): FrameLayout {
    return (this.knownFrame ??= frameLayout(this.compilation.ctx));
  }

  private knownUnwind: readonly UnwindRow[] | undefined;
  get unwind(): readonly UnwindRow[] {
    return (this.knownUnwind ??= unwindOf(this.compilation));
  }

  private knownPieces: readonly Piece[] | undefined;
  get pieces(): readonly Piece[] {
    return (this.knownPieces ??= piecesOf(this.compilation));
  }

  get passes(): PassLog {
    return this.compilation.log;
  }
}

function unwindOf(compilation: Compilation): readonly UnwindRow[] {
  const unwind = new UnwindRecorder(RV.ra);
  repeatLastPass(compilation, { unwind });
  return unwind.rows();
}

function piecesOf(compilation: Compilation): readonly Piece[] {
  const pieces = new PieceRecorder();
  return pieces.pieces(repeatLastPass(compilation, { pieces }));
}

/** Byte offsets of positions counted in halfwords. */
function inBytes(positions: Int32Array): Uint32Array {
  const offsets = new Uint32Array(positions.length);
  for (let i = 0; i < positions.length; i++) offsets[i] = 2 * (positions[i] ?? 0);
  return offsets;
}

/** Byte offsets of the ends of all slots' code in the latest pass. */
function endsOf({ sizes, prologueLen }: JitContext): Uint32Array {
  const ends = new Uint32Array(sizes.length);
  let end = prologueLen;
  for (let i = 0; i < sizes.length; i++) {
    end += sizes[i] ?? 0;
    ends[i] = 2 * end;
  }
  return ends;
}
