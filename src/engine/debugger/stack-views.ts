import { hex64 } from '../base/hex';
import type { Kernel } from '../kernel/types';
import type { Machine } from '../machine/types';
import type { CodeIndex } from './code-index';
import type { Replacement } from './execution';
import { locationView } from './locations';
import { unwind, type Frame } from './stack';
import type { LocationView, StackFrameView } from './views';

/** Where a run has stopped: the pc and, in a kernel function, the BPF code that called it. */
export function stopLocation(machine: Machine, kernel: Kernel, index: CodeIndex): LocationView {
  const here = locationView(kernel, index, machine.pc);
  if (here.function !== undefined) return here;
  const caller = unwind(machine, kernel, index).find((frame) => frame.code !== undefined);
  if (!caller) return here;
  return { ...locationView(kernel, index, caller.pc, caller.code, caller.lookup), ...here };
}

/** The call stack for a window; frames that a tail call has replaced say so. */
export function stackFrameViews(
  frames: readonly Frame[],
  kernel: Kernel,
  index: CodeIndex,
  replacementAt: (cfa: bigint) => Replacement | undefined,
): StackFrameView[] {
  return frames.map((frame, i): StackFrameView => {
    const note = noteOf(frame, replacementAt);
    return {
      index: i,
      kind: frame.kind,
      name: frame.name,
      location: locationView(kernel, index, frame.pc, frame.code, frame.lookup),
      ...(frame.cfa !== undefined && { cfa: hex64(frame.cfa) }),
      ...(note !== undefined && { note }),
    };
  });
}

function noteOf(frame: Frame, replacementAt: (cfa: bigint) => Replacement | undefined): string | undefined {
  // Only main programs are entered by tail calls; a subprogram's frame was made by a call.
  if (frame.cfa === undefined || frame.code?.fn.index !== 0) return undefined;
  const replacement = replacementAt(frame.cfa);
  if (!replacement) return undefined;
  const { from, count } = replacement;
  const chain = count === 1 ? '' : ` (tail call ${count} in this frame)`;
  return `entered by a tail call from ${from.fn.name}, whose frame it replaced${chain}`;
}
