import { EngineError } from '../base/errors';
import { hex64 } from '../base/hex';
import { u64 } from '../base/u64';
import type { Core } from './core';
import {
  ACCESS,
  ACCESS_BEFORE,
  ACCESS_BYTES,
  ACCESS_KINDS,
  REGISTER_WATCHES,
  REGISTER_WATCH_BYTES,
  REGISTER_WATCH_COUNT,
  REGISTER_WATCH_MAX,
  REGS,
  REGS_BEFORE,
  WATCHES,
  WATCH_BYTES,
  WATCH_CHANGED,
  WATCH_COUNT,
  WATCH_EQUALS,
  WATCH_MAX,
  WATCH_READ,
  WATCH_WRITTEN,
} from './core/layout';
import type { MachineStop, Watch, WatchedAccess } from './types';

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

  /** @param byteAt reads a mapped byte */
  constructor(
    private readonly core: Core,
    private readonly byteAt: (address: bigint) => number,
  ) {}

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

  /**
   * What the instruction just executed hit, all of it: the core tells the first watchpoint alone.
   * @param written the registers that it writes: none, one, or the pair of amocas.q
   */
  hitBy(written: readonly number[]): Omit<MachineStop & { reason: 'watch' }, 'reason' | 'pc' | 'by'> {
    const { core } = this;
    const access = this.takeAccess();
    const registers = this.watchRegisters
      ? written.map((index) => ({ index, before: core.getU64(REGS_BEFORE + 8 * index) }))
      : [];
    let hitRegister: (typeof registers)[number] | undefined;
    const hits: number[] = [];
    let address: bigint | undefined;
    for (const [number, watch] of this.byNumber) {
      if (watch.kind === 'register') {
        const register = registers.find(({ index }) => index === watch.register);
        if (!register || !becomes(watch, register.before, core.getU64(REGS + 8 * register.index))) continue;
        hitRegister ??= register;
      } else {
        const first = access && this.firstHit(watch, access);
        if (first === undefined) continue;
        address ??= first;
      }
      hits.push(number);
    }
    const register = hitRegister ?? registers[0];
    return {
      hits,
      watch: hits[0]!,
      ...(address !== undefined && { address }),
      ...(address !== undefined && access && { access }),
      ...(register && { register }),
    };
  }

  /** The access that the core has told since this was asked last. */
  private takeAccess(): WatchedAccess | undefined {
    const { core } = this;
    const kinds = core.getU32(ACCESS_KINDS);
    if (kinds === 0) return undefined;
    core.setU32(ACCESS_KINDS, 0);
    const written = (kinds & WATCH_WRITTEN) !== 0;
    return {
      address: core.getU64(ACCESS),
      size: core.getU32(ACCESS_BYTES),
      read: (kinds & WATCH_READ) !== 0,
      written,
      before: written ? core.getU64(ACCESS_BEFORE) : 0n,
    };
  }

  /** The first byte of an access that a watchpoint is about. */
  private firstHit(watch: Watch & { kind: 'memory' }, access: WatchedAccess): bigint | undefined {
    if (watch.on === 'read' ? !access.read : !access.written) return undefined;
    for (let i = 0; i < access.size; i++) {
      const at = u64(access.address + BigInt(i));
      if (u64(at - watch.address) >= BigInt(watch.size)) continue;
      const before = Number((access.before >> BigInt(8 * i)) & 0xffn);
      if (watch.on !== 'changed' || this.byteAt(at) !== before) return at;
    }
    return undefined;
  }

  /** Whether every instruction has to be looked at. */
  get watchRegisters(): boolean {
    return this.core.getU32(REGISTER_WATCH_COUNT) !== 0;
  }
}

/** Whether writing a register's value is what a watchpoint waits for. */
export function becomes(watch: Watch & { kind: 'register' }, before: bigint, after: bigint): boolean {
  switch (watch.on) {
    case 'written':
      return true;
    case 'changed':
      return before !== after;
    case 'equals':
      return after === u64(watch.value);
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
