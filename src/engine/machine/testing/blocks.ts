/** Random straight-line programs that leave all registers and their data to be compared. */
import type { Random } from '../../base/testing/random';
import { assemble } from '../../rv64/assemble';
import { encode } from '../../rv64/encode';
import { TABLE, type InsnSpec } from '../../rv64/table';
import { buildElf } from './elf';
import { randomInsn, randomValue } from './streams';

const BLOCK_TEXT = 0x1_0000n;
/** The initial registers (32 × 8 bytes), then room for accesses, then the final registers. */
const BLOCK_DATA = 0x40_0000n;
const ROOM = 256;
const ROOM_BYTES = 4096;
const FINAL = ROOM + ROOM_BYTES;
export const BLOCK_DATA_BYTES = FINAL + 256;

/** Registers that point into the room and are never written, so that accesses stay inside. All can be compressed. */
const POINTERS = [8, 9] as const;
/** Points to the final registers; the last register to be saved through. */
const BASE = 18;
const KEPT = new Set<number>([...POINTERS, BASE]);

/** What such a block cannot have: jumps, stops, and what is different elsewhere. */
function usable({ mnemonic, format, extension }: InsnSpec): boolean {
  const jumps = ['branch', 'j', 'jalr', 'cj', 'cb', 'cjr'].includes(format);
  const stops = mnemonic === 'ecall' || mnemonic === 'ebreak' || mnemonic === 'c.ebreak';
  // Counters differ between machines; auipc is fine, because the text has the same address everywhere.
  const differs = extension === 'Zicsr' || extension === 'Zacas' || extension === 'Zicond';
  // Through sp, which random code moves; the others' bases can be chosen.
  const throughSp = ['clwsp', 'cldsp', 'cswsp', 'csdsp'].includes(format);
  return !jumps && !stops && !differs && !throughSp && format !== 'lr';
}

const USABLE = TABLE.filter(usable);
const ACCESSES = new Set<string>(['load', 'store', 'clw', 'cld', 'csw', 'csd', 'amo']);

/** One instruction whose base, if it accesses memory, is a pointer, and whose destination is none. */
function blockInsn(random: Random): number[] {
  for (;;) {
    const spec = random.pick(USABLE);
    const word = randomInsn(spec, random);
    const size = spec.size;
    const field = (shift: number): number => (word >>> shift) & 31;
    if (ACCESSES.has(spec.format)) return [access(spec, random)];
    const rd =
      size === 4
        ? field(7)
        : ['candi', 'cshift', 'ca'].includes(spec.format)
          ? 8 + (field(7) & 7)
          : spec.format === 'ciw'
            ? 8 + (field(2) & 7)
            : field(7);
    if (!KEPT.has(rd)) return [word];
  }
}

function destination(random: Random): number {
  for (;;) {
    const rd = random.below(32);
    if (!KEPT.has(rd)) return rd;
  }
}

function access(spec: InsnSpec, random: Random): number {
  const rs1 = random.pick(POINTERS);
  const { shape } = spec;
  const short = spec.size === 2;
  const rd = short ? 10 + random.below(6) : destination(random);
  const rs2 = short ? 8 + random.below(8) : random.below(32);
  if (spec.format === 'amo')
    return encode(spec.mnemonic, { rd, rs1, rs2, aq: random.below(2) === 1, rl: random.below(2) === 1 });
  const { min, max, step } = shape.imm!;
  const imm = min + step * random.below((max - min) / step + 1);
  return encode(spec.mnemonic, { rd, rs1, rs2, imm });
}

/** lr, an instruction between, and sc to the same place: what a reservation is for. */
function reservation(random: Random): number[] {
  const suffix = random.pick(['w', 'd'] as const);
  const rs1 = random.pick(POINTERS);
  const between = encode('addi', { rd: destination(random), rs1: random.below(32), imm: random.below(100) });
  return [
    encode(`lr.${suffix}`, { rd: destination(random), rs1 }),
    between,
    encode(`sc.${suffix}`, { rd: destination(random), rs1, rs2: random.below(32) }),
  ];
}

/**
 * A static executable that loads all registers, runs `count` random instructions, saves all registers, writes its data to
 * standard output by Linux's write and exits with 0.
 */
export function randomBlock(random: Random, count: number): Uint8Array {
  const data = new Uint8Array(BLOCK_DATA_BYTES);
  const view = new DataView(data.buffer);
  for (let i = 0; i < ROOM_BYTES; i++) data[ROOM + i] = random.u32() & 0xff;
  for (let index = 1; index < 32; index++) view.setBigUint64(8 * index, randomValue(random), true);
  // In the middle of the room, so that offsets of -2048 … 2047 stay in the data; aligned for atomics.
  view.setBigUint64(8 * POINTERS[0], BLOCK_DATA + BigInt(ROOM + 2048), true);
  view.setBigUint64(8 * POINTERS[1], BLOCK_DATA + BigInt(ROOM + 2040), true);
  view.setBigUint64(8 * BASE, BLOCK_DATA + BigInt(FINAL), true);

  const words: number[] = [];
  for (let i = 0; i < count; i++)
    words.push(...(random.below(40) === 0 ? reservation(random) : blockInsn(random)));
  const others = Array.from({ length: 31 }, (_, i) => i + 1).filter((index) => index !== 31);
  const source = [
    `li x31, ${BLOCK_DATA}`,
    ...others.map((index) => `ld x${index}, ${8 * index}(x31)`),
    `ld x31, ${8 * 31}(x31)`,
    ...words.map((word) => ((word & 3) === 3 ? `.4byte ${word >>> 0}` : `.2byte ${word}`)),
    ...Array.from({ length: 31 }, (_, i) => `sd x${i + 1}, ${8 * (i + 1)}(x${BASE})`),
    ...['li a7, 64', 'li a0, 1', `li a1, ${BLOCK_DATA}`, `li a2, ${BLOCK_DATA_BYTES}`, 'ecall'],
    ...['li a7, 93', 'li a0, 0', 'ecall'],
  ].join('\n');
  const { bytes } = assemble(source, { base: BLOCK_TEXT });
  return buildElf(BLOCK_TEXT, [
    { address: BLOCK_TEXT, bytes, flags: 5 },
    { address: BLOCK_DATA, bytes: data, flags: 6 },
  ]);
}
