import { EngineError } from '../base/errors';
import { hex64 } from '../base/hex';
import type { MachineMemory } from '../machine/types';
import type { KernelVersion } from '../profile/profile';
import { BPF_JIT_REGION_END, IMAGE_ADDRESSES, PAGE_SIZE } from './addresses';

/** Bytes between two modelled kernel functions. */
const FUNCTION_SPACING = 0x80;
/** Bytes between two pieces of modelled kernel data. */
const DATA_SPACING = 0x40;
/** Entries of __per_cpu_offset (CONFIG_NR_CPUS of a distribution build). */
const NR_CPUS = 128;

export interface SymbolPlace {
  readonly name: string;
  readonly offset: number;
}

/**
 * The kernel image as far as programs can see it: functions are entries in a trap region of kernel text, data lies in a
 * mapped region behind. Addresses depend on the kernel version and the lists of names alone, never on what is loaded.
 */
export class SymbolTable {
  /** __bpf_call_base */
  readonly callBase: bigint;
  /** The array __per_cpu_offset */
  readonly perCpuOffset: bigint;
  private readonly firstFunction: bigint;
  private readonly firstData: bigint;
  private readonly textEnd: bigint;
  private readonly dataEnd: bigint;
  private readonly addresses = new Map<string, bigint>();
  private readonly functions: readonly string[];
  private readonly data: readonly string[];

  constructor(
    kernel: KernelVersion,
    memory: MachineMemory,
    functions: readonly string[],
    data: readonly string[],
  ) {
    const image = IMAGE_ADDRESSES[kernel];
    this.callBase = image.callBase;
    this.perCpuOffset = image.perCpuOffset;
    // Functions begin on the page behind __bpf_call_base.
    this.firstFunction = pageUp(this.callBase + 1n);
    this.firstData = this.perCpuOffset + BigInt(8 * NR_CPUS + 0x40);
    this.functions = [...new Set(functions)];
    this.data = [...new Set(data)];
    this.functions.forEach((name, i) =>
      this.addresses.set(name, this.firstFunction + BigInt(i * FUNCTION_SPACING)),
    );
    this.data.forEach((name, i) => this.addresses.set(name, this.firstData + BigInt(i * DATA_SPACING)));
    this.addresses.set('__bpf_call_base', this.callBase);
    this.addresses.set('__per_cpu_offset', this.perCpuOffset);

    const textEnd = this.firstFunction + BigInt(this.functions.length * FUNCTION_SPACING);
    const dataStart = pageDown(this.perCpuOffset);
    const dataEnd = this.firstData + BigInt(this.data.length * DATA_SPACING);
    this.textEnd = pageUp(textEnd);
    this.dataEnd = pageUp(dataEnd);
    memory.map({
      name: 'kernel text',
      base: BPF_JIT_REGION_END,
      size: Number(this.textEnd - BPF_JIT_REGION_END),
      permissions: { r: false, w: false, x: true },
      trap: true,
    });
    memory.map({
      name: 'kernel data',
      base: dataStart,
      size: Number(this.dataEnd - dataStart),
      permissions: { r: true, w: true, x: false },
    });
  }

  /** The address of a function or variable; undefined when the model has none of that name. */
  find(name: string): bigint | undefined {
    return this.addresses.get(name);
  }

  /** @throws EngineError `kernel/symbol` */
  address(name: string): bigint {
    const address = this.addresses.get(name);
    if (address === undefined) {
      throw new EngineError('kernel/symbol', `The modelled kernel has no symbol ${name}.`, { name });
    }
    return address;
  }

  /** Function or variable that the address lies in, with the distance from its start; undefined outside all of them. */
  at(address: bigint): SymbolPlace | undefined {
    if (address >= this.callBase && address < this.firstFunction) {
      return { name: '__bpf_call_base', offset: Number(address - this.callBase) };
    }
    const inText = this.slot(address, this.firstFunction, FUNCTION_SPACING, this.functions);
    if (inText) return inText;
    if (address >= this.perCpuOffset && address < this.perCpuOffset + BigInt(8 * NR_CPUS)) {
      return { name: '__per_cpu_offset', offset: Number(address - this.perCpuOffset) };
    }
    return this.slot(address, this.firstData, DATA_SPACING, this.data);
  }

  /** True in the trap region. */
  isText(address: bigint): boolean {
    return address >= BPF_JIT_REGION_END && address < this.textEnd;
  }

  /**
   * An address inside a function at which the kernel goes on when something it called returns: its trap.
   * @param part 0 for the first such place of the function, 1 for the second …
   */
  returnPoint(name: string, part = 0): bigint {
    const offset = 0x2a + 0x10 * part;
    if (offset >= FUNCTION_SPACING) {
      throw new EngineError(
        'kernel/symbol',
        `Function ${name} has no return point ${part}: ${hex64(BigInt(offset))} is past its end.`,
        { name, part },
      );
    }
    return this.address(name) + BigInt(offset);
  }

  private slot(
    address: bigint,
    first: bigint,
    spacing: number,
    names: readonly string[],
  ): SymbolPlace | undefined {
    if (address < first) return undefined;
    const distance = address - first;
    const name = names[Number(distance / BigInt(spacing))];
    return name === undefined ? undefined : { name, offset: Number(distance % BigInt(spacing)) };
  }
}

const pageDown = (address: bigint): bigint => address & ~BigInt(PAGE_SIZE - 1);
const pageUp = (address: bigint): bigint => pageDown(address + BigInt(PAGE_SIZE - 1));
