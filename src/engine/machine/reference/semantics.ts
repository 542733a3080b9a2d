/**
 * What every instruction of the table does, said as the manual says it, with unbounded integers. Values of registers are
 * unsigned 64-bit numbers; `s` reads one as two's complement, `w` its low word. The type of {@link SEMANTICS} demands an
 * entry for every uncompressed instruction.
 */
import { s64, sext32, u32, u64 } from '../../base/u64';
import type { DecodedInsn } from '../../rv64/decode';
import type { BaseMnemonic } from '../../rv64/table';

/** What instructions can do to the hart and its memory. */
export interface ReferenceState {
  /** Address of the instruction being executed. */
  readonly pc: bigint;
  getRegister(index: number): bigint;
  setRegister(index: number, value: bigint): void;
  /** Goes on at `target` instead of the next instruction. */
  jump(target: bigint): void;
  /** Zero-extended; throws a trap. */
  load(address: bigint, bytes: number): bigint;
  store(address: bigint, bytes: number, value: bigint): void;
  /** The old value; `change` gives the new one, or undefined to leave memory alone. Throws a trap when misaligned. */
  readModifyWrite(address: bigint, bytes: number, change: (old: bigint) => bigint | undefined): bigint;
  loadReserved(address: bigint, bytes: number): bigint;
  /** Whether the store was made. */
  storeConditional(address: bigint, bytes: number, value: bigint): boolean;
  /** undefined: there is no such register. Registers cannot be written. */
  readCsr(csr: number): bigint | undefined;
  fenceI(): void;
  illegal(): never;
  ecall(): never;
  ebreak(): never;
}

type Meaning = (hart: ReferenceState, insn: DecodedInsn) => void;

const s32 = (value: bigint): bigint => BigInt.asIntN(32, value);
const bool = (condition: boolean): bigint => (condition ? 1n : 0n);

/** rd = f(rs1, rs2) */
const r =
  (f: (a: bigint, b: bigint) => bigint): Meaning =>
  (hart, { rd, rs1, rs2 }) =>
    hart.setRegister(rd, u64(f(hart.getRegister(rs1), hart.getRegister(rs2))));

/** rd = f(rs1, immediate) */
const i =
  (f: (a: bigint, b: bigint) => bigint): Meaning =>
  (hart, { rd, rs1, imm }) =>
    hart.setRegister(rd, u64(f(hart.getRegister(rs1), BigInt(imm))));

/** rd = f(rs1) */
const unary = (f: (a: bigint) => bigint): Meaning => i(f);

/** As r, the low word of the result sign-extended. */
const rw = (f: (a: bigint, b: bigint) => bigint): Meaning => r((a, b) => sext32(f(a, b)));
const iw = (f: (a: bigint, b: bigint) => bigint): Meaning => i((a, b) => sext32(f(a, b)));

const branch =
  (taken: (a: bigint, b: bigint) => boolean): Meaning =>
  (hart, { rs1, rs2, imm }) => {
    if (taken(hart.getRegister(rs1), hart.getRegister(rs2))) hart.jump(hart.pc + BigInt(imm));
  };

const effective = (hart: ReferenceState, { rs1, imm }: DecodedInsn): bigint =>
  u64(hart.getRegister(rs1) + BigInt(imm));

const load =
  (bytes: number, signed: boolean): Meaning =>
  (hart, insn) => {
    const value = hart.load(effective(hart, insn), bytes);
    hart.setRegister(insn.rd, signed ? u64(BigInt.asIntN(8 * bytes, value)) : value);
  };

const store =
  (bytes: number): Meaning =>
  (hart, insn) =>
    hart.store(effective(hart, insn), bytes, BigInt.asUintN(8 * bytes, hart.getRegister(insn.rs2)));

/** Division as the manual's table of special cases has it: nothing traps. */
const quotient = (a: bigint, b: bigint): bigint => (b === 0n ? -1n : a / b);
const remainder = (a: bigint, b: bigint): bigint => (b === 0n ? a : a % b);

function countLeadingZeros(value: bigint, width: number): bigint {
  return BigInt(width - (value === 0n ? 0 : value.toString(2).length));
}
function countTrailingZeros(value: bigint, width: number): bigint {
  return value === 0n
    ? BigInt(width)
    : BigInt(value.toString(2).length - 1 - value.toString(2).lastIndexOf('1'));
}
const countOnes = (value: bigint): bigint => BigInt(value.toString(2).replaceAll('0', '').length);

const rotateRight = (value: bigint, by: bigint, width: bigint): bigint => {
  const amount = by % width;
  return (value >> amount) | (value << (width - amount));
};

/** Bytes of a register, lowest first. */
const bytesOf = (value: bigint): bigint[] =>
  Array.from({ length: 8 }, (_, n) => (value >> BigInt(8 * n)) & 0xffn);
const fromBytes = (bytes: readonly bigint[]): bigint =>
  bytes.reduce((value, byte, n) => value | (byte << BigInt(8 * n)), 0n);

const amo =
  (bytes: number, f: (old: bigint, value: bigint) => bigint): Meaning =>
  (hart, { rd, rs1, rs2 }) => {
    const value = hart.getRegister(rs2);
    const old = hart.readModifyWrite(hart.getRegister(rs1), bytes, (found) =>
      BigInt.asUintN(8 * bytes, f(found, BigInt.asUintN(8 * bytes, value))),
    );
    hart.setRegister(rd, u64(BigInt.asIntN(8 * bytes, old)));
  };

/** The four comparisons of amomin … amomaxu: `pick(a, b)` says whether the first operand stays. */
const pickWord = (pick: (a: bigint, b: bigint) => boolean): Meaning =>
  amo(4, (a, b) => (pick(s32(a), s32(b)) ? a : b));
const pickLong = (pick: (a: bigint, b: bigint) => boolean): Meaning =>
  amo(8, (a, b) => (pick(s64(a), s64(b)) ? a : b));
const pickWordUnsigned = (pick: (a: bigint, b: bigint) => boolean): Meaning =>
  amo(4, (a, b) => (pick(a, b) ? a : b));
const pickLongUnsigned = (pick: (a: bigint, b: bigint) => boolean): Meaning =>
  amo(8, (a, b) => (pick(a, b) ? a : b));

const compareAndSwap =
  (bytes: number): Meaning =>
  (hart, { rd, rs1, rs2 }) => {
    const expected = BigInt.asUintN(8 * bytes, hart.getRegister(rd));
    const value = BigInt.asUintN(8 * bytes, hart.getRegister(rs2));
    const old = hart.readModifyWrite(hart.getRegister(rs1), bytes, (found) =>
      found === expected ? value : undefined,
    );
    hart.setRegister(rd, u64(BigInt.asIntN(8 * bytes, old)));
  };

/** The 128-bit value of a register pair; the pair that begins with x0 is 0. */
const pair = (hart: ReferenceState, first: number): bigint =>
  first === 0 ? 0n : hart.getRegister(first) | (hart.getRegister(first + 1) << 64n);

const compareAndSwapPair: Meaning = (hart, { rd, rs1, rs2 }) => {
  const expected = pair(hart, rd);
  const value = pair(hart, rs2);
  const old = hart.readModifyWrite(hart.getRegister(rs1), 16, (found) =>
    found === expected ? value : undefined,
  );
  if (rd === 0) return;
  hart.setRegister(rd, u64(old));
  hart.setRegister(rd + 1, old >> 64n);
};

const loadReserved =
  (bytes: number): Meaning =>
  (hart, { rd, rs1 }) =>
    hart.setRegister(rd, u64(BigInt.asIntN(8 * bytes, hart.loadReserved(hart.getRegister(rs1), bytes))));

const storeConditional =
  (bytes: number): Meaning =>
  (hart, { rd, rs1, rs2 }) => {
    const value = BigInt.asUintN(8 * bytes, hart.getRegister(rs2));
    hart.setRegister(rd, bool(!hart.storeConditional(hart.getRegister(rs1), bytes, value)));
  };

/** A CSR access. `source` is rs1's number or the immediate: 0 means that csrrs and csrrc do not write. */
const csr =
  (alwaysWrites: boolean): Meaning =>
  (hart, insn) => {
    const source = insn.base.shape.imm ? insn.imm : insn.rs1;
    const value = hart.readCsr(insn.csr);
    // All registers there are can only be read.
    if (value === undefined || alwaysWrites || source !== 0) return hart.illegal();
    hart.setRegister(insn.rd, value);
  };

const nothing: Meaning = () => undefined;

export const SEMANTICS: Readonly<Record<BaseMnemonic, Meaning>> = {
  lui: (hart, { rd, imm }) => hart.setRegister(rd, sext32(BigInt(imm) << 12n)),
  auipc: (hart, { rd, imm }) => hart.setRegister(rd, u64(hart.pc + sext32(BigInt(imm) << 12n))),
  jal: (hart, { rd, imm, size }) => {
    hart.setRegister(rd, u64(hart.pc + BigInt(size)));
    hart.jump(hart.pc + BigInt(imm));
  },
  jalr: (hart, insn) => {
    const target = effective(hart, insn) & ~1n;
    hart.setRegister(insn.rd, u64(hart.pc + BigInt(insn.size)));
    hart.jump(target);
  },
  beq: branch((a, b) => a === b),
  bne: branch((a, b) => a !== b),
  blt: branch((a, b) => s64(a) < s64(b)),
  bge: branch((a, b) => s64(a) >= s64(b)),
  bltu: branch((a, b) => a < b),
  bgeu: branch((a, b) => a >= b),

  lb: load(1, true),
  lh: load(2, true),
  lw: load(4, true),
  ld: load(8, true),
  lbu: load(1, false),
  lhu: load(2, false),
  lwu: load(4, false),
  sb: store(1),
  sh: store(2),
  sw: store(4),
  sd: store(8),

  addi: i((a, b) => a + b),
  slti: i((a, b) => bool(s64(a) < b)),
  sltiu: i((a, b) => bool(a < u64(b))),
  xori: i((a, b) => a ^ b),
  ori: i((a, b) => a | b),
  andi: i((a, b) => a & b),
  slli: i((a, b) => a << b),
  srli: i((a, b) => a >> b),
  srai: i((a, b) => s64(a) >> b),

  add: r((a, b) => a + b),
  sub: r((a, b) => a - b),
  sll: r((a, b) => a << (b & 63n)),
  slt: r((a, b) => bool(s64(a) < s64(b))),
  sltu: r((a, b) => bool(a < b)),
  xor: r((a, b) => a ^ b),
  srl: r((a, b) => a >> (b & 63n)),
  sra: r((a, b) => s64(a) >> (b & 63n)),
  or: r((a, b) => a | b),
  and: r((a, b) => a & b),

  addiw: iw((a, b) => a + b),
  slliw: iw((a, b) => a << b),
  srliw: iw((a, b) => u32(a) >> b),
  sraiw: iw((a, b) => s32(a) >> b),
  addw: rw((a, b) => a + b),
  subw: rw((a, b) => a - b),
  sllw: rw((a, b) => a << (b & 31n)),
  srlw: rw((a, b) => u32(a) >> (b & 31n)),
  sraw: rw((a, b) => s32(a) >> (b & 31n)),

  // One hart that executes in order: its own accesses are always seen in order.
  fence: nothing,
  'fence.tso': nothing,
  'fence.i': (hart) => hart.fenceI(),
  ecall: (hart) => hart.ecall(),
  ebreak: (hart) => hart.ebreak(),

  csrrw: csr(true),
  csrrs: csr(false),
  csrrc: csr(false),
  csrrwi: csr(true),
  csrrsi: csr(false),
  csrrci: csr(false),

  mul: r((a, b) => a * b),
  mulh: r((a, b) => (s64(a) * s64(b)) >> 64n),
  mulhsu: r((a, b) => (s64(a) * b) >> 64n),
  mulhu: r((a, b) => (a * b) >> 64n),
  div: r((a, b) => quotient(s64(a), s64(b))),
  divu: r(quotient),
  rem: r((a, b) => remainder(s64(a), s64(b))),
  remu: r(remainder),
  mulw: rw((a, b) => a * b),
  divw: rw((a, b) => quotient(s32(a), s32(b))),
  divuw: rw((a, b) => quotient(u32(a), u32(b))),
  remw: rw((a, b) => remainder(s32(a), s32(b))),
  remuw: rw((a, b) => remainder(u32(a), u32(b))),

  'lr.w': loadReserved(4),
  'lr.d': loadReserved(8),
  'sc.w': storeConditional(4),
  'sc.d': storeConditional(8),
  'amoswap.w': amo(4, (_, b) => b),
  'amoadd.w': amo(4, (a, b) => a + b),
  'amoxor.w': amo(4, (a, b) => a ^ b),
  'amoand.w': amo(4, (a, b) => a & b),
  'amoor.w': amo(4, (a, b) => a | b),
  'amomin.w': pickWord((a, b) => a < b),
  'amomax.w': pickWord((a, b) => a > b),
  'amominu.w': pickWordUnsigned((a, b) => a < b),
  'amomaxu.w': pickWordUnsigned((a, b) => a > b),
  'amoswap.d': amo(8, (_, b) => b),
  'amoadd.d': amo(8, (a, b) => a + b),
  'amoxor.d': amo(8, (a, b) => a ^ b),
  'amoand.d': amo(8, (a, b) => a & b),
  'amoor.d': amo(8, (a, b) => a | b),
  'amomin.d': pickLong((a, b) => a < b),
  'amomax.d': pickLong((a, b) => a > b),
  'amominu.d': pickLongUnsigned((a, b) => a < b),
  'amomaxu.d': pickLongUnsigned((a, b) => a > b),
  'amocas.w': compareAndSwap(4),
  'amocas.d': compareAndSwap(8),
  'amocas.q': compareAndSwapPair,

  'add.uw': r((a, b) => u32(a) + b),
  sh1add: r((a, b) => (a << 1n) + b),
  sh2add: r((a, b) => (a << 2n) + b),
  sh3add: r((a, b) => (a << 3n) + b),
  'sh1add.uw': r((a, b) => (u32(a) << 1n) + b),
  'sh2add.uw': r((a, b) => (u32(a) << 2n) + b),
  'sh3add.uw': r((a, b) => (u32(a) << 3n) + b),
  'slli.uw': i((a, b) => u32(a) << b),

  andn: r((a, b) => a & ~b),
  orn: r((a, b) => a | ~b),
  xnor: r((a, b) => ~(a ^ b)),
  clz: unary((a) => countLeadingZeros(a, 64)),
  ctz: unary((a) => countTrailingZeros(a, 64)),
  cpop: unary(countOnes),
  clzw: unary((a) => countLeadingZeros(u32(a), 32)),
  ctzw: unary((a) => countTrailingZeros(u32(a), 32)),
  cpopw: unary((a) => countOnes(u32(a))),
  max: r((a, b) => (s64(a) > s64(b) ? a : b)),
  maxu: r((a, b) => (a > b ? a : b)),
  min: r((a, b) => (s64(a) < s64(b) ? a : b)),
  minu: r((a, b) => (a < b ? a : b)),
  'sext.b': unary((a) => BigInt.asIntN(8, a)),
  'sext.h': unary((a) => BigInt.asIntN(16, a)),
  'zext.h': unary((a) => BigInt.asUintN(16, a)),
  rol: r((a, b) => rotateRight(a, 64n - (b & 63n), 64n)),
  ror: r((a, b) => rotateRight(a, b & 63n, 64n)),
  rori: i((a, b) => rotateRight(a, b, 64n)),
  rolw: rw((a, b) => rotateRight(u32(a), 32n - (b & 31n), 32n)),
  rorw: rw((a, b) => rotateRight(u32(a), b & 31n, 32n)),
  roriw: iw((a, b) => rotateRight(u32(a), b, 32n)),
  'orc.b': unary((a) => fromBytes(bytesOf(a).map((byte) => (byte === 0n ? 0n : 0xffn)))),
  rev8: unary((a) => fromBytes(bytesOf(a).reverse())),

  bclr: r((a, b) => a & ~(1n << (b & 63n))),
  bext: r((a, b) => (a >> (b & 63n)) & 1n),
  binv: r((a, b) => a ^ (1n << (b & 63n))),
  bset: r((a, b) => a | (1n << (b & 63n))),
  bclri: i((a, b) => a & ~(1n << b)),
  bexti: i((a, b) => (a >> b) & 1n),
  binvi: i((a, b) => a ^ (1n << b)),
  bseti: i((a, b) => a | (1n << b)),

  'czero.eqz': r((a, b) => (b === 0n ? 0n : a)),
  'czero.nez': r((a, b) => (b !== 0n ? 0n : a)),
};
