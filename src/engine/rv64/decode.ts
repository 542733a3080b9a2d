import { AQ, RL, type RegisterField } from './formats';
import {
  BASE_SPECS,
  COMPRESSED_SPECS,
  type BaseSpec,
  type CompressedSpec,
  type ExpansionSource,
  type InsnSpec,
} from './table';

/**
 * One decoded instruction. The operands are those of the base instruction: a compressed one is shown expanded, so
 * `c.ldsp a0, 8(sp)` has rd 10, rs1 2, imm 8. Operands that the instruction does not have are 0.
 */
export interface DecodedInsn {
  /** The instruction as it stands in memory; compressed if size is 2. */
  readonly spec: InsnSpec;
  /** The instruction to execute; the same as `spec` unless compressed. */
  readonly base: BaseSpec;
  /** Bytes */
  readonly size: 2 | 4;
  /** The instruction's bits, unsigned, 16 or 32 of them. */
  readonly word: number;
  /** Register numbers */
  readonly rd: number;
  readonly rs1: number;
  readonly rs2: number;
  /**
   * Sign-extended where the instruction does so. Branches and jumps: bytes from this instruction. lui, auipc: the
   * unsigned 20-bit field, not shifted. csrrwi and its kind: the 5-bit value. fence: predecessor set << 4 | successor set.
   */
  readonly imm: number;
  readonly aq: boolean;
  readonly rl: boolean;
  /** CSR number, 0 … 0xfff */
  readonly csr: number;
}

const bitCount = (value: number): number => {
  let count = 0;
  for (let rest = value >>> 0; rest !== 0; rest &= rest - 1) count++;
  return count;
};

/** More fixed bits first, so that `c.jr` is tried before `c.mv`, and `fence.tso` before `fence`. */
const bySpecificity = (a: InsnSpec, b: InsnSpec): number => bitCount(b.mask) - bitCount(a.mask);

/**
 * Buckets for 32-bit words by opcode (bits 6:2), funct3 (14:12) and funct7 (31:25), 15 bits in all: nearly every bucket
 * has at most one candidate.
 */
const bucketOf = (word: number): number =>
  ((word >>> 2) & 0x1f) | ((word >>> 7) & 0xe0) | ((word >>> 17) & 0x7f00);

function fillBuckets(): readonly (readonly BaseSpec[])[] {
  const none: readonly BaseSpec[] = [];
  const buckets: (readonly BaseSpec[])[] = Array.from({ length: 0x8000 }, () => none);
  for (const spec of [...BASE_SPECS].sort(bySpecificity)) {
    const match = bucketOf(spec.match);
    const free = bucketOf(~spec.mask);
    // Every subset of the free bits, from none to all.
    let subset = 0;
    do {
      const bucket = match | subset;
      buckets[bucket] = [...buckets[bucket]!, spec];
      subset = (subset - free) & free;
    } while (subset !== 0);
  }
  return buckets;
}

const BUCKETS = fillBuckets();

const register = (word: number, field: RegisterField): number =>
  field.short ? 8 + ((word >>> field.shift) & 7) : (word >>> field.shift) & 31;

function decodeBase(word: number): DecodedInsn | undefined {
  for (const spec of BUCKETS[bucketOf(word)]!) {
    if ((word & spec.mask) >>> 0 !== spec.match) continue;
    const { rd, rs1, rs2, csr, imm, ordering } = spec.shape;
    return {
      spec,
      base: spec,
      size: 4,
      word: word >>> 0,
      rd: rd ? (word >>> 7) & 31 : 0,
      rs1: rs1 ? (word >>> 15) & 31 : 0,
      rs2: rs2 ? (word >>> 20) & 31 : 0,
      imm: imm ? imm.unpack(word) : 0,
      aq: ordering === true && (word & AQ) !== 0,
      rl: ordering === true && (word & RL) !== 0,
      csr: csr ? word >>> 20 : 0,
    };
  }
  return undefined;
}

function expand(spec: CompressedSpec, word: number): DecodedInsn | undefined {
  const { rd, rs1, rs2, imm } = spec.shape;
  const fields = {
    rd: rd ? register(word, rd) : 0,
    rs1: rs1 ? register(word, rs1) : 0,
    rs2: rs2 ? register(word, rs2) : 0,
    imm: imm ? imm.unpack(word) : 0,
    csr: 0,
  };
  const { never, expansion } = spec;
  if (
    fields.rd === never.rd ||
    fields.rs1 === never.rs1 ||
    fields.rs2 === never.rs2 ||
    fields.imm === never.imm
  )
    return undefined;
  const value = (source: ExpansionSource): number => (typeof source === 'number' ? source : fields[source]);
  return {
    spec,
    base: expansion.base,
    size: 2,
    word,
    rd: value(expansion.rd),
    rs1: value(expansion.rs1),
    rs2: value(expansion.rs2),
    imm: value(expansion.imm),
    aq: false,
    rl: false,
    csr: 0,
  };
}

const COMPRESSED_BY_SPECIFICITY = [...COMPRESSED_SPECS].sort(bySpecificity);

/** What each halfword means, filled in when it is first met; null: nothing. */
const halfwords: (DecodedInsn | null | undefined)[] = Array.from({ length: 0x10000 });

function decodeHalfword(word: number): DecodedInsn | undefined {
  const known = halfwords[word];
  if (known !== undefined) return known ?? undefined;
  let insn: DecodedInsn | undefined;
  for (const spec of COMPRESSED_BY_SPECIFICITY) {
    if ((word & spec.mask) === spec.match) insn ??= expand(spec, word);
  }
  halfwords[word] = insn ?? null;
  return insn;
}

/**
 * Decodes the instruction in the low bits of `word`, a 32-bit little-endian fetch (signed or unsigned); when bits 1:0
 * are not 3 it is compressed and only the low 16 bits matter.
 *
 * Gives undefined for encodings that are illegal, reserved, or of an extension that the table does not have. HINTs are
 * legal. The result may be shared between calls.
 */
export function decode(word: number): DecodedInsn | undefined {
  return (word & 3) === 3 ? decodeBase(word) : decodeHalfword(word & 0xffff);
}
