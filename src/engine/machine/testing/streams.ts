/** Random programs, and the memory and registers they run with. */
import type { Random } from '../../base/testing/random';
import { encode, type Operands } from '../../rv64/encode';
import type { RegisterField } from '../../rv64/formats';
import { TABLE, type InsnSpec } from '../../rv64/table';
import type { MachineMemory, Region } from '../types';

const RW = { r: true, w: true, x: false };

/** Regions that make accesses interesting: odd sizes and bases, neighbours with other rights, the end of the address space. */
export const TEXT: Region = {
  name: 'text',
  base: 0xffff_ffff_7800_0ff0n,
  size: 8192,
  permissions: { r: true, w: false, x: true },
};
export const REGIONS: readonly Region[] = [
  TEXT,
  { name: 'data', base: 0xffff_ffff_8000_0000n, size: 12288, permissions: RW },
  { name: 'next', base: 0xffff_ffff_8000_3000n, size: 100, permissions: RW },
  {
    name: 'constants',
    base: 0xffff_ffff_8000_3064n,
    size: 5000,
    permissions: { r: true, w: false, x: false },
  },
  { name: 'write-only', base: 0x1_0000_0ff8n, size: 24, permissions: { r: false, w: true, x: false } },
  { name: 'low', base: 0n, size: 4096, permissions: RW },
  { name: 'top', base: 0xffff_ffff_ffff_f003n, size: 4093, permissions: RW },
  {
    name: 'helpers',
    base: 0xffff_ffff_9000_0000n,
    size: 64,
    permissions: { r: true, w: false, x: true },
    trap: true,
  },
];

/** Addresses near the edges of the regions. */
const POINTERS: readonly bigint[] = REGIONS.filter((region) => region.name !== 'text').flatMap(
  ({ base, size }) =>
    [0n, 8n, 64n, BigInt(size) - 16n, BigInt(size) - 4n].map((offset) => BigInt.asUintN(64, base + offset)),
);

const EDGES: readonly bigint[] = [
  0n,
  1n,
  2n,
  3n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x7fff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n,
  0xffff_ffff_8000_0000n,
  0xffff_ffff_7fff_ffffn,
  0xffff_ffff_ffff_fffen,
  0xffff_ffff_ffff_ffffn,
  0x0101_0101_0101_0101n,
  0x00ff_00ff_00ff_00ffn,
];

/** A 64-bit value: often an edge, a pointer, an address in the text, or a few random bits. */
export function randomValue(random: Random): bigint {
  switch (random.below(6)) {
    case 0:
      return random.pick(EDGES);
    case 1:
    case 2:
      return BigInt.asUintN(
        64,
        random.pick(POINTERS) + (random.below(8) === 0 ? BigInt(random.below(9)) : 0n),
      );
    case 3:
      return TEXT.base + BigInt(2 * random.below(256));
    case 4:
      return BigInt(random.u32()) << BigInt(random.below(33));
    default:
      return (BigInt(random.u32()) << 32n) | BigInt(random.u32());
  }
}

export function mapRegions(memory: MachineMemory, random: Random, text: Uint8Array): void {
  for (const region of REGIONS) {
    const bytes =
      region === TEXT ? text : Uint8Array.from({ length: region.size }, () => random.u32() & 0xff);
    memory.map(region, bytes);
  }
}

const MEMORY_FORMATS = new Set<string>([
  'load',
  'store',
  'clw',
  'cld',
  'csw',
  'csd',
  'clwsp',
  'cldsp',
  'cswsp',
  'csdsp',
]);
const JUMPS = new Set<string>(['branch', 'j', 'cj', 'cb']);

/** One random instruction of the table with random operands; jumps stay near. */
export function randomInsn(spec: InsnSpec, random: Random): number {
  const { shape, never } = spec;
  const register = ({ short, even }: RegisterField): number =>
    short ? 8 + random.below(8) : even ? 2 * random.below(16) : random.below(32);
  for (;;) {
    const values: { rd?: number; rs1?: number; rs2?: number; imm?: number; csr?: number } = {};
    for (const operand of shape.args) {
      if (operand === 'csr')
        values.csr = random.pick([0xc00, 0xc01, 0xc02, 0xb02, 0x001, 0xb00, random.below(4096)]);
      else if (operand === 'imm') {
        const { min, max, step } = shape.imm!;
        const near = JUMPS.has(spec.format) || MEMORY_FORMATS.has(spec.format);
        const low = near ? Math.max(min, -40) : min;
        const high = near ? Math.min(max, 40) : max;
        values.imm =
          random.below(4) === 0 && !near
            ? random.pick([min, max, 0, step])
            : low + step * random.below((high - low) / step + 1);
      } else values[operand] = register(shape[operand]!);
    }
    if (shape.args.some((operand) => values[operand] === never[operand])) continue;
    const operands: Operands = {
      ...values,
      ...(spec.format === 'fence' ? { pred: values.imm! >> 4, succ: values.imm! & 15 } : {}),
      ...(shape.ordering ? { aq: random.below(2) === 1, rl: random.below(2) === 1 } : {}),
    };
    return encode(spec.mnemonic, operands);
  }
}

/** A text of random instructions, some of them random bits. */
export function randomText(random: Random, bytes: number): Uint8Array {
  const text = new Uint8Array(bytes);
  let at = 0;
  while (at + 4 <= bytes) {
    const word = random.below(100) === 0 ? random.u32() : randomInsn(random.pick(TABLE), random);
    const size = (word & 3) === 3 ? 4 : 2;
    for (let i = 0; i < size; i++) text[at + i] = (word >>> (8 * i)) & 0xff;
    at += size;
  }
  return text;
}
