import { hex64 } from '../../base/hex';
import { u64 } from '../../base/u64';
import { decode, type DecodedInsn } from '../../rv64/decode';
import { CSR_CYCLE, CSR_INSTRET, CSR_MCYCLE, CSR_MINSTRET, CSR_TIME } from '../csr';
import type { MachineCounters, MachineMemory, MachineStop, Permissions, TrapCause } from '../types';
import type { IssuePlan, ReferenceTimer } from './timer';
import { SEMANTICS, type ReferenceState } from './semantics';

/** A stop that an instruction causes instead of completing. */
class Trap {
  constructor(readonly stop: MachineStop) {}
}

/**
 * The hart once more, for reading and for checking the core against: the manual's words in BigInt, one instruction at a
 * time, slow. It shares the instruction table and decoder with the core and nothing else. Given a ReferenceTimer it also
 * counts cycles; otherwise an instruction takes one. It sees code as soon as it is written.
 */
export class ReferenceHart implements ReferenceState {
  pc = 0n;
  private next = 0n;
  private jumped = false;
  private readonly x: bigint[] = Array.from({ length: 32 }, () => 0n);
  private instructions = 0n;
  private loads = 0n;
  private stores = 0n;
  private reservation: { readonly address: bigint; readonly bytes: number } | undefined;

  private plan: IssuePlan | undefined;
  /** Address of the data that the current instruction accesses. */
  private data: bigint | undefined;

  constructor(
    readonly memory: MachineMemory,
    private readonly timer?: ReferenceTimer,
  ) {}

  getRegister(index: number): bigint {
    return this.x[index]!;
  }
  setRegister(index: number, value: bigint): void {
    if (index !== 0) this.x[index] = u64(value);
  }
  registers(): BigUint64Array {
    return BigUint64Array.from(this.x);
  }
  counters(): MachineCounters {
    return {
      instructions: this.instructions,
      loads: this.loads,
      stores: this.stores,
      cycles: this.timer ? BigInt(this.timer.cycle) : null,
    };
  }

  /** Executes one instruction; a stop with reason `limit` means that it completed. */
  step(): MachineStop {
    try {
      const insn = this.fetch();
      const following = u64(this.pc + BigInt(insn.size));
      this.next = following;
      this.plan = this.timer?.plan(insn);
      this.data = undefined;
      this.jumped = false;
      const [a, b] = [this.x[insn.rs1]!, this.x[insn.rs2]!];
      SEMANTICS[insn.base.mnemonic](this, insn);
      if (this.plan) {
        const offset = this.pc - this.memory.regionAt(this.pc)!.base;
        const { pc, next, data, jumped } = this;
        this.timer?.executed(this.plan, { pc, following, next, jumped, a, b, data, offset });
      }
      this.pc = this.next;
      this.instructions++;
      return { reason: 'limit', pc: this.pc };
    } catch (trap) {
      if (trap instanceof Trap) return trap.stop;
      throw trap;
    }
  }

  /** Executes up to `limit` instructions. */
  run(limit: number): MachineStop {
    for (let i = 0; i < limit; i++) {
      const stop = this.step();
      if (stop.reason !== 'limit') return stop;
    }
    return { reason: 'limit', pc: this.pc };
  }

  private fetch(): DecodedInsn {
    if (this.memory.regionAt(this.pc)?.trap === true) throw new Trap({ reason: 'trap', pc: this.pc });
    const low = this.fetchHalfword(this.pc);
    this.timer?.fetch(this.pc);
    const word = (low & 3) === 3 ? low | (this.fetchHalfword(this.pc + 2n) << 16) : low;
    return decode(word) ?? this.illegal();
  }

  private fetchHalfword(address: bigint): number {
    const region = this.memory.regionAt(address);
    const executable = region?.permissions.x === true && region.trap !== true;
    if (!executable || this.memory.regionAt(address + 1n) !== region)
      this.fault('instruction-access-fault', u64(address));
    return this.memory.readU16(address);
  }

  /** Throws a trap that names the first byte that may not be accessed, if there is one. */
  private check(address: bigint, bytes: number, right: keyof Permissions, cause: TrapCause): void {
    for (let i = 0; i < bytes; i++) {
      const at = u64(address + BigInt(i));
      const region = this.memory.regionAt(at);
      if (region?.permissions[right] !== true) this.fault(cause, at);
    }
  }

  private fault(cause: TrapCause, address: bigint): never {
    const message = `${cause} at ${hex64(address)}, by the instruction at ${hex64(this.pc)}.`;
    throw new Trap({ reason: 'fault', pc: this.pc, cause, address, message });
  }

  jump(target: bigint): void {
    this.next = u64(target);
    this.jumped = true;
  }

  load(address: bigint, bytes: number): bigint {
    this.data = address;
    this.check(address, bytes, 'r', 'load-access-fault');
    this.loads++;
    return this.peek(address, bytes);
  }

  store(address: bigint, bytes: number, value: bigint): void {
    this.data = address;
    this.check(address, bytes, 'w', 'store-access-fault');
    this.stores++;
    this.poke(address, bytes, value);
  }

  private peek(address: bigint, bytes: number): bigint {
    return this.memory.read(address, bytes).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }
  private poke(address: bigint, bytes: number, value: bigint): void {
    this.memory.write(
      address,
      Uint8Array.from({ length: bytes }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn)),
    );
  }

  /**
   * Throws a trap unless an atomic may access these bytes: naturally aligned, because nobody emulates misaligned ones, and
   * in one region.
   */
  private checkAtomic(
    address: bigint,
    bytes: number,
    rights: readonly (keyof Permissions)[],
    cause: TrapCause,
  ): void {
    const region = this.memory.regionAt(address);
    const whole =
      address % BigInt(bytes) === 0n && this.memory.regionAt(address + BigInt(bytes - 1)) === region;
    if (!whole || !rights.every((right) => region?.permissions[right] === true)) this.fault(cause, address);
  }

  readModifyWrite(address: bigint, bytes: number, change: (old: bigint) => bigint | undefined): bigint {
    this.data = address;
    this.checkAtomic(address, bytes, ['r', 'w'], 'store-access-fault');
    const old = this.peek(address, bytes);
    const made = change(old);
    if (made !== undefined) this.poke(address, bytes, made);
    this.loads++;
    this.stores++;
    return old;
  }

  loadReserved(address: bigint, bytes: number): bigint {
    this.data = address;
    this.checkAtomic(address, bytes, ['r'], 'load-access-fault');
    this.loads++;
    this.reservation = { address, bytes };
    return this.peek(address, bytes);
  }

  storeConditional(address: bigint, bytes: number, value: bigint): boolean {
    this.data = address;
    this.checkAtomic(address, bytes, ['w'], 'store-access-fault');
    const held = this.reservation;
    this.reservation = undefined;
    const end = address + BigInt(bytes);
    if (!held || address < held.address || end > held.address + BigInt(held.bytes)) return false;
    this.stores++;
    this.poke(address, bytes, value);
    return true;
  }

  readCsr(csr: number): bigint | undefined {
    const cycle = this.plan ? BigInt(this.plan.cycle) : this.instructions;
    switch (csr) {
      case CSR_CYCLE:
      case CSR_MCYCLE:
        return cycle;
      case CSR_TIME:
        return cycle / BigInt(this.timer?.profile.cyclesPerTick ?? 1);
      case CSR_INSTRET:
      case CSR_MINSTRET:
        return this.instructions;
      default:
        return undefined;
    }
  }

  /** Nothing to do: fetches see memory as it is. */
  fenceI(): void {
    return undefined;
  }

  illegal(): never {
    return this.fault('illegal-instruction', this.pc);
  }
  ecall(): never {
    throw new Trap({ reason: 'ecall', pc: this.pc });
  }
  ebreak(): never {
    throw new Trap({ reason: 'ebreak', pc: this.pc });
  }
}
