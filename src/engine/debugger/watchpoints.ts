import { EngineError } from '../base/errors';
import { hex64 } from '../base/hex';
import { u64 } from '../base/u64';
import { REGISTER_WATCH_MAX, WATCH_MAX } from '../machine/core/layout';
import type { Watch } from '../machine/types';
import { ABI_NAMES, REG } from '../rv64/registers';
import type { BreakpointSpec, WatchSpec, WriteTarget } from './views';

/** Bytes that one watchpoint covers at most. */
const MOST_WATCHED = 65_536;

/** Whether a breakpoint is a watchpoint. */
export function isWatchSpec(spec: BreakpointSpec): spec is WatchSpec {
  return spec.kind === 'register' || spec.kind === 'memory';
}

/** Watchpoints of a kind that can be on at once. */
export const watchLimit = (kind: WatchSpec['kind']): number =>
  kind === 'memory' ? WATCH_MAX : REGISTER_WATCH_MAX;

/** What the machine has to watch for a watchpoint. @throws EngineError `debugger/watch` for what there is not */
export function watchOf(spec: WatchSpec): Watch {
  if (spec.kind === 'memory') return memoryWatch(spec.address, spec.length, spec.when);
  const register = requireRegister(spec.register);
  if (spec.when !== 'equals') return { kind: 'register', register, on: spec.when };
  if (spec.value === undefined) {
    throw new EngineError(
      'debugger/watch',
      `A watchpoint on ${abiName(register)} = … needs the value; give one as 0x….`,
    );
  }
  return { kind: 'register', register, on: 'equals', value: u64(BigInt(spec.value)) };
}

/** Watches all writes of a target. @throws EngineError `debugger/watch` for what there is not */
export function writesOf(target: WriteTarget): Watch {
  if (target.kind === 'memory') return memoryWatch(target.address, target.length, 'written');
  return { kind: 'register', register: requireRegister(target.register), on: 'written' };
}

function memoryWatch(at: string, size: number, on: (Watch & { kind: 'memory' })['on']): Watch {
  const address = u64(BigInt(at));
  if (Number.isInteger(size) && size > 0 && size <= MOST_WATCHED && address + BigInt(size) <= 1n << 64n) {
    return { kind: 'memory', address, size, on };
  }
  throw new EngineError(
    'debugger/watch',
    `${size} bytes at ${hex64(address)} cannot be watched; give 1 to ${MOST_WATCHED} bytes below the end of memory.`,
    { address, length: size },
  );
}

function requireRegister(register: number): number {
  if (Number.isInteger(register) && register > 0 && register < ABI_NAMES.length) return register;
  throw new EngineError(
    'debugger/watch',
    `Register x${register} cannot be watched; x1 to x31 can (x0 is always zero).`,
    { register },
  );
}

/** The name of a register as the window shows it. */
export const abiName = (register: number): string => (register === REG.fp ? 'fp' : ABI_NAMES[register]!);

/** How a watchpoint reads in a list: `a6 written`, `8 bytes at 0x… changed`, `a6 = 0x20`. */
export function watchLabel(spec: WatchSpec): string {
  if (spec.kind === 'memory') return `${rangeText(BigInt(spec.address), spec.length)} ${spec.when}`;
  const name = abiName(spec.register);
  return spec.when === 'equals' ? `${name} = ${spec.value}` : `${name} ${spec.when}`;
}

/** How a target reads in a sentence: `a6`, `the byte at 0x…`, `8 bytes at 0x…`. */
export const targetText = (target: WriteTarget): string =>
  target.kind === 'register' ? abiName(target.register) : rangeText(BigInt(target.address), target.length);

const rangeText = (address: bigint, length: number): string =>
  `${length === 1 ? 'the byte' : `${length} bytes`} at ${hex64(u64(address))}`;

/** Whether a breakpoint watches the same thing in the same way. */
export function sameWatch(a: WatchSpec, b: BreakpointSpec): boolean {
  if (a.kind === 'register') {
    return (
      b.kind === 'register' &&
      a.register === b.register &&
      a.when === b.when &&
      BigInt(a.value ?? 0) === BigInt(b.value ?? 0)
    );
  }
  return (
    b.kind === 'memory' &&
    BigInt(a.address) === BigInt(b.address) &&
    a.length === b.length &&
    a.when === b.when
  );
}
