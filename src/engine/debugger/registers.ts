import { hex64 } from '../base/hex';
import { s64 } from '../base/u64';
import type { TccHome } from '../jit/tcc/home';
import { ABI_NAMES, REG } from '../rv64/registers';
import { CALLER_SAVED, helperPoison } from '../kernel/task';
import { BPF_REGISTER } from './abi';
import type { Frame } from './stack';
import { tccHome } from './tcc';
import type { RegisterView } from './views';

/** Index of pc in register views. */
const PC_INDEX = 32;

/** x0 … x31 and pc at one instant. */
export interface RegisterFile {
  readonly pc: bigint;
  readonly x: BigUint64Array;
}

/**
 * All registers for a window.
 * @param previous the values at the stop before; absent at the first stop
 * @param frames the call stack: frame 0 says what the counter's carriers mean just now
 */
export function registerViews(
  now: RegisterFile,
  previous: RegisterFile | undefined,
  frames: readonly Frame[],
): RegisterView[] {
  // While the machine stands in a helper, the frame of the code that called it says where the count is.
  const frame = frames.find((f) => f.code !== undefined);
  const inBpf = frames[0]?.code !== undefined;
  const home = frame?.code && frame.lookup !== undefined ? tccHome(frame.code, frame.lookup) : undefined;
  const views = Array.from(now.x, (value, index): RegisterView => {
    const bpf = inBpf ? BPF_REGISTER.get(index) : undefined;
    const note = noteOf(index, value, home, frame);
    return {
      index,
      abi: index === REG.fp ? 'fp' : ABI_NAMES[index]!,
      ...(bpf !== undefined && { bpf }),
      ...valueOf(value, previous?.x[index]),
      ...roleOf(index),
      ...(note !== undefined && { note }),
    };
  });
  views.push({ index: PC_INDEX, abi: 'pc', ...valueOf(now.pc, previous?.pc), role: 'pc' });
  return views;
}

function valueOf(value: bigint, previous: bigint | undefined) {
  const changed = previous !== undefined && previous !== value;
  return {
    hex: hex64(value),
    decimal: s64(value).toString(),
    changed,
    ...(changed && { previous: hex64(previous) }),
  };
}

function roleOf(index: number): { readonly role?: 'tcc' | 'sp' } {
  if (index === REG.a6 || index === REG.s6) return { role: 'tcc' };
  return index === REG.sp ? { role: 'sp' } : {};
}

function noteOf(
  index: number,
  value: bigint,
  home: TccHome | undefined,
  frame: Frame | undefined,
): string | undefined {
  if (index === REG.a6 && home) return a6Note(value, home, isPoison(value));
  if (index === REG.s6 && home && frame?.code) return s6Note(value, home, frame);
  if (isPoison(value)) return 'Poison: kernel functions may change this register, so the model does.';
  return undefined;
}

/** Whether a value is one that the kernel model leaves in registers that a C function may change. */
const isPoison = (value: bigint): boolean =>
  CALLER_SAVED.some((register) => helperPoison(register) === value);

function a6Note(value: bigint, home: TccHome, poisoned: boolean): string {
  const clobbered = poisoned ? 'Clobbered by a kernel function' : 'Not the count just now';
  switch (home.kind) {
    case 'register':
      if (home.register === REG.a6) return `${leftText(value)}; ${home.why}.`;
      return `${clobbered}; the count is in s6: ${home.why}.`;
    case 'slot':
      return `${clobbered}; the count is in the frame at sp+${home.spOffset}: ${home.why}.`;
    case 'none':
      return poisoned ? `Clobbered by a kernel function; ${home.why}.` : `No count: ${home.why}.`;
  }
}

function s6Note(value: bigint, home: TccHome, frame: Frame): string {
  if (home.kind === 'register' && home.register === REG.s6) return `${leftText(value)}; ${home.why}.`;
  // No BPF register lives in s6: a function that saves it does so for the count.
  if (!frame.row?.saved.has(REG.s6)) return 'Not the count: it belongs to the caller.';
  return 'Not the count just now: free, or left over from the last call; the caller’s value is saved in this frame.';
}

/** `33 tail calls left`. A count below zero is what a refused attempt leaves behind in some schemes. */
export function leftText(value: bigint): string {
  const left = s64(value);
  if (left < 0n) return `The count is used up (${left})`;
  return left === 1n ? '1 tail call left' : `${left} tail calls left`;
}
