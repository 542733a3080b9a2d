import { EngineError } from '../base/errors';
import { hex64 } from '../base/hex';
import { u64 } from '../base/u64';
import type { Core } from './core';
import {
  REGISTER_WATCHES,
  REGISTER_WATCH_BYTES,
  REGISTER_WATCH_COUNT,
  REGISTER_WATCH_MAX,
  WATCHES,
  WATCH_BYTES,
  WATCH_CHANGED,
  WATCH_COUNT,
  WATCH_EQUALS,
  WATCH_MAX,
  WATCH_READ,
  WATCH_WRITTEN,
} from './core/layout';
import type { Watch } from './types';

const KIND_BITS = {
  read: WATCH_READ,
  written: WATCH_WRITTEN,
  changed: WATCH_CHANGED,
  equals: WATCH_EQUALS,
} as const;

/** The watchpoints of a machine, and their table in the core. */
export class Watches {
  private readonly byNumber = new Map<number, Watch>();
  private nextNumber = 1;

  constructor(private readonly core: Core) {}

  get all(): ReadonlyMap<number, Watch> {
    return this.byNumber;
  }

  /** @throws EngineError `machine/watch` for a bad range or too many watchpoints. */
  add(watch: Watch): number {
    check(watch);
    const most = watch.kind === 'memory' ? WATCH_MAX : REGISTER_WATCH_MAX;
    if ([...this.byNumber.values()].filter((other) => other.kind === watch.kind).length >= most) {
      throw new EngineError(
        'machine/watch',
        `There are ${most} ${watch.kind} watchpoints already; remove one first.`,
      );
    }
    const number = this.nextNumber++;
    this.byNumber.set(number, watch);
    this.publish();
    return number;
  }

  remove(number: number): void {
    if (this.byNumber.delete(number)) this.publish();
  }

  private publish(): void {
    const { core } = this;
    let at = WATCHES;
    for (const [number, watch] of this.byNumber) {
      if (watch.kind !== 'memory') continue;
      core.setU64(at, u64(watch.address));
      core.setU64(at + 8, u64(watch.address + BigInt(watch.size - 1)));
      core.setU32(at + 16, KIND_BITS[watch.on]);
      core.setU32(at + 20, number);
      at += WATCH_BYTES;
    }
    core.setU32(WATCH_COUNT, (at - WATCHES) / WATCH_BYTES);
    this.publishRegisters();
    core.flushTlb();
  }

  private publishRegisters(): void {
    const { core } = this;
    let at = REGISTER_WATCHES;
    for (const [number, watch] of this.byNumber) {
      if (watch.kind !== 'register') continue;
      core.setU32(at, 8 * watch.register);
      core.setU32(at + 4, KIND_BITS[watch.on]);
      core.setU64(at + 8, watch.on === 'equals' ? u64(watch.value) : 0n);
      core.setU32(at + 16, number);
      at += REGISTER_WATCH_BYTES;
    }
    core.setU32(REGISTER_WATCH_COUNT, (at - REGISTER_WATCHES) / REGISTER_WATCH_BYTES);
  }

  /** Whether every instruction has to be looked at. */
  get watchRegisters(): boolean {
    return this.core.getU32(REGISTER_WATCH_COUNT) !== 0;
  }
}

function check(watch: Watch): void {
  if (watch.kind === 'register') {
    if (Number.isInteger(watch.register) && watch.register > 0 && watch.register < 32) return;
    throw new EngineError(
      'machine/watch',
      `Register x${watch.register} cannot be watched; give a number from 1 to 31.`,
      {
        register: watch.register,
      },
    );
  }
  const fits =
    Number.isSafeInteger(watch.size) &&
    watch.size > 0 &&
    u64(watch.address) + BigInt(watch.size) <= 1n << 64n;
  if (fits) return;
  throw new EngineError(
    'machine/watch',
    `${watch.size} bytes at ${hex64(watch.address)} are no range that can be watched.`,
    { address: watch.address, size: watch.size },
  );
}
