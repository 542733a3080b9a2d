import { EngineError } from '../../base/errors';
import type { KernelVersion } from '../../profile/profile';
import { STRUCT_LAYOUTS } from '../../profile/struct-layouts';
import { AREAS, BPF_JIT_REGION_START, IMAGE_ADDRESSES, PAGE_SIZE } from '../addresses';

/** Kernel functions that trampolines call, with their distance in bytes from __bpf_call_base. */
const DISTANCES_6_12 = {
  __bpf_prog_enter_sleepable_recur: 0x4c160,
  __bpf_prog_enter: 0x4c200,
  __bpf_prog_enter_sleepable: 0x4c248,
  __bpf_prog_enter_recur: 0x4c298,
  __bpf_prog_exit: 0x4c3f2,
  __bpf_prog_exit_recur: 0x4c41c,
  __bpf_prog_exit_sleepable_recur: 0x4c472,
  __bpf_prog_exit_sleepable: 0x4c7b8,
  __bpf_tramp_enter: 0x4ca5c,
  __bpf_tramp_exit: 0x4caac,
} as const;

type TrampolineSymbol = keyof typeof DISTANCES_6_12;

const DISTANCES_7_2: Readonly<Record<TrampolineSymbol, number>> = {
  __bpf_prog_enter: 0x80400,
  __bpf_prog_enter_recur: 0x80448,
  __bpf_prog_exit_sleepable_recur: 0x80568,
  __bpf_prog_enter_sleepable_recur: 0x80aa8,
  __bpf_prog_enter_sleepable: 0x80fa0,
  __bpf_prog_exit: 0x81120,
  __bpf_prog_exit_recur: 0x811d8,
  __bpf_prog_exit_sleepable: 0x81300,
  __bpf_tramp_enter: 0x819e0,
  __bpf_tramp_exit: 0x81a88,
};

/** 6.12 and 7.2 from distribution builds; 6.6 and 7.3 take those of their neighbours (as in {@link IMAGE_ADDRESSES}). */
const DISTANCES: Readonly<Record<KernelVersion, Readonly<Record<TrampolineSymbol, number>>>> = {
  '6.6': DISTANCES_6_12,
  '6.12': DISTANCES_6_12,
  '7.2': DISTANCES_7_2,
  '7.3': DISTANCES_7_2,
};

/** A traced kernel function: 7 MiB behind __bpf_call_base, where the network stack lies. */
const TRACED_DISTANCE = 0x70_0000n;
/** Bytes between the images of two programs, and between two struct bpf_prog. */
const PROGRAM_SPACING = 0x400n;

const PLACES = ['image', 'function', 'im', 'type_word'];

/** Names of the addresses that are in the code of a trampoline with so many programs. */
export const addressNames = (programs: number): string[] => [
  ...PLACES,
  ...Array.from({ length: programs }, (_, i) => [
    `prog${i + 1}`,
    `bpf_func${i + 1}`,
    `insnsi${i + 1}`,
  ]).flat(),
  ...Object.keys(DISTANCES_6_12),
];

/**
 * Addresses for a trampoline that is looked at without a running kernel: deterministic, in the ranges in which a kernel
 * would have them, and each replaceable by that of a real machine.
 */
export class TrampolineAddresses {
  /**
   * @param given addresses by name that replace ours
   * @throws EngineError `kernel/trampoline` for a name that no address has, and for odd code addresses
   */
  constructor(
    private readonly kernel: KernelVersion,
    programs: number,
    private readonly given: ReadonlyMap<string, bigint> = new Map(),
  ) {
    const known = addressNames(programs);
    for (const [name, address] of given) {
      if (!known.includes(name)) {
        throw new EngineError(
          'kernel/trampoline',
          `No address of this trampoline is called '${name}'; choose from ${known.join(', ')}.`,
          { name },
        );
      }
      if (!/^(prog\d+|insnsi\d+|im|type_word)$/.test(name) && address % 2n !== 0n) {
        throw new EngineError(
          'kernel/trampoline',
          `The address of ${name} is odd; code lies at even addresses.`,
          { name, address },
        );
      }
    }
  }

  /** A kernel function that trampolines call. */
  symbol(name: string): bigint {
    const distance = DISTANCES[this.kernel][name as TrampolineSymbol];
    if (distance === undefined) {
      throw new EngineError('kernel/symbol', `Trampolines call no function ${name}.`, { name });
    }
    return this.given.get(name) ?? this.callBase + BigInt(distance);
  }

  /** The trampoline's first byte. */
  get image(): bigint {
    return this.given.get('image') ?? BPF_JIT_REGION_START;
  }

  /** The traced function; a BPF program's lies among the images. */
  function(isBpf: boolean): bigint {
    const ours = isBpf ? BPF_JIT_REGION_START + BigInt(PAGE_SIZE) : this.callBase + TRACED_DISTANCE;
    return this.given.get('function') ?? ours & ~3n;
  }

  /** The struct bpf_tramp_image. */
  get im(): bigint {
    return this.given.get('im') ?? AREAS.sv39.directMap + 0x47_8400n;
  }

  /** The struct bpf_prog of a program, from 1. */
  prog(number: number): bigint {
    return (
      this.given.get(`prog${number}`) ?? AREAS.sv39.vmalloc + 0x10_5000n + BigInt(number) * BigInt(PAGE_SIZE)
    );
  }

  /** The program's code; of one that is not JITed, the interpreter's. */
  bpfFunc(number: number): bigint {
    const ours = BPF_JIT_REGION_START + 2n * BigInt(PAGE_SIZE) + BigInt(number - 1) * PROGRAM_SPACING;
    return this.given.get(`bpf_func${number}`) ?? ours;
  }

  /** The instructions of a program that the interpreter runs, in its struct bpf_prog. */
  insnsi(number: number): bigint {
    const offset = STRUCT_LAYOUTS[this.kernel].bpf_prog?.fields.insnsi?.[0] ?? 0;
    return this.given.get(`insnsi${number}`) ?? this.prog(number) + BigInt(offset);
  }

  /**
   * kCFI type word of a struct_ops stub, which is a hash over the member's type: only the kernel's build knows it.
   * @throws EngineError `kernel/trampoline` where it is not given
   */
  get typeWord(): number {
    const word = this.given.get('type_word');
    if (word !== undefined && word <= 0xffff_ffffn) return Number(word);
    throw new EngineError(
      'kernel/trampoline',
      'With kCFI a struct_ops trampoline begins with the 32-bit type word of its stub, which no BTF tells; give it as address type_word, or leave kCFI off.',
    );
  }

  private get callBase(): bigint {
    return IMAGE_ADDRESSES[this.kernel].callBase;
  }
}
