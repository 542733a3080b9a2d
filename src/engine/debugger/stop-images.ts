import type { Machine } from '../machine/types';
import { REG } from '../rv64/registers';
import type { StackImage } from './frames';
import type { RegisterFile } from './registers';

/** What a stop looked like: the next one is compared with it. */
export interface StopImage {
  readonly registers: RegisterFile;
  /** From sp up. */
  readonly stack: StackImage | undefined;
}

/** Bytes of stack that are kept of a stop. */
const STACK_BYTES = 64 * 1024;

/** The present stop and the one before it, numbered. */
export class StopImages {
  /** Number of the present stop; the first is 1. */
  number = 0;
  now: StopImage | undefined;
  before: StopImage | undefined;

  /** The machine stands at the next stop. */
  take(machine: Machine): void {
    this.number++;
    this.before = this.now;
    this.now = { registers: { pc: machine.pc, x: machine.registers() }, stack: stackImage(machine) };
  }

  /** The next stop has nothing before it to be compared with. */
  forget(): void {
    this.now = undefined;
  }
}

function stackImage(machine: Machine): StackImage | undefined {
  const { memory } = machine;
  const base = machine.getRegister(REG.sp) & ~15n;
  const region = memory.regionAt(base);
  if (!region) return undefined;
  const size = Math.min(Number(region.base + BigInt(region.size) - base), STACK_BYTES);
  const bytes = memory.tryRead(base, size);
  return bytes && { base, bytes };
}
