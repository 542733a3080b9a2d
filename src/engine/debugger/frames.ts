import { bytesToHex, hex64 } from '../base/hex';
import { EngineError } from '../base/errors';
import { u64 } from '../base/u64';
import { prologuePiece } from '../jit/lookup';
import type { FrameSlot } from '../jit/types';
import type { MachineMemory } from '../machine/types';
import { REG } from '../rv64/registers';
import type { Frame } from './stack';
import type { FrameRowView } from './views';

/** The rows of a frame's layout with live values, from high to low addresses, and a note about its making. */
export interface FrameLayoutView {
  readonly size: number;
  readonly rows: readonly FrameRowView[];
  readonly note?: string;
}

/** The stack's bytes at an earlier stop. */
export interface StackImage {
  readonly base: bigint;
  readonly bytes: Uint8Array;
}

/** Whether the frame exists, and how far its prologue has come. */
type Progress = 'not-made' | 'saving' | 'complete' | 'released';

/**
 * The frame layout of one stack frame with live values. While the prologue is at work, slots that are not stored yet have
 * no value; behind the epilogue's release of the stack none has.
 * @param previous the stack at the stop before, to mark what changed
 * @throws EngineError `debugger/frame` for frames that have no layout, such as a helper's
 */
export function frameLayoutView(
  memory: MachineMemory,
  frame: Frame,
  previous: StackImage | undefined,
): FrameLayoutView {
  const { code, cfa } = frame;
  if (!code || cfa === undefined) {
    throw new EngineError(
      'debugger/frame',
      `${frame.name} is kernel code; only BPF functions have a frame layout.`,
    );
  }
  const { frame: layout } = code.fn;
  const progress = progressOf(frame);
  const rows = layout.slots.map((slot): FrameRowView => {
    const address = u64(cfa + BigInt(slot.fpOffset));
    const bytes = isStored(frame, slot, progress) ? memory.tryRead(address, slot.size) : undefined;
    const before = previous && bytesAt(previous, address, slot.size);
    return {
      address: hex64(address),
      name: slot.name,
      kind: slot.kind,
      size: slot.size,
      fpOffset: slot.fpOffset,
      spOffset: slot.spOffset,
      ...(bytes && { value: valueText(bytes) }),
      changed: bytes !== undefined && before !== undefined && bytesToHex(before) !== bytesToHex(bytes),
      why: slot.why,
    };
  });
  const note = noteOf(frame, progress);
  return { size: layout.size, rows, ...(note !== undefined && { note }) };
}

function progressOf(frame: Frame): Progress {
  const { code, row, lookup } = frame;
  const lowered = !(row?.cfa.register === REG.sp && row.cfa.offset === 0);
  if (lookup === undefined || lookup >= code!.fn.prologueLen) return lowered ? 'complete' : 'released';
  return lowered ? 'saving' : 'not-made';
}

function isStored(frame: Frame, slot: FrameSlot, progress: Progress): boolean {
  if (slot.kind === 'padding') return false;
  if (progress === 'not-made' || progress === 'released') return false;
  if (progress === 'complete') return true;
  if (slot.kind === 'tcc') {
    const store = prologuePiece(frame.code!.fn, 'tcc/store');
    return store !== undefined && frame.lookup! >= store.to;
  }
  // The BPF stack is there from the moment on that sp is lowered, with whatever it held before.
  return slot.register === undefined || frame.row!.saved.has(slot.register);
}

function bytesAt({ base, bytes }: StackImage, address: bigint, size: number): Uint8Array | undefined {
  const from = Number(address - base);
  return from < 0 || from + size > bytes.length ? undefined : bytes.subarray(from, from + size);
}

/** Little-endian value for up to 8 bytes, hex bytes beyond. */
function valueText(bytes: Uint8Array): string {
  if (bytes.length > 8) return bytesToHex(bytes);
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return hex64(value);
}

function noteOf(frame: Frame, progress: Progress): string | undefined {
  const slots = frame.code!.fn.frame.slots.filter((slot) => slot.register !== undefined);
  switch (progress) {
    case 'not-made':
      return 'prologue: the frame is not made yet';
    case 'saving': {
      const saved = slots.filter((slot) => isStored(frame, slot, progress)).length;
      return `prologue: ${saved} of ${slots.length} registers saved so far`;
    }
    case 'released':
      return 'epilogue: the frame has been given back';
    case 'complete':
      return undefined;
  }
}
