/**
 * RV64 registers by number as the JIT uses them, and the map from BPF registers (spec 1.1, 1.2; `regmap` in the
 * kernel's bpf_jit_comp64.c).
 */
export const RV = {
  zero: 0,
  ra: 1,
  sp: 2,
  tp: 4,
  t0: 5,
  t1: 6,
  t2: 7,
  fp: 8,
  s1: 9,
  a0: 10,
  a1: 11,
  a2: 12,
  a3: 13,
  a4: 14,
  a5: 15,
  a6: 16,
  a7: 17,
  s2: 18,
  s3: 19,
  s4: 20,
  s5: 21,
  s6: 22,
  s7: 23,
  t3: 28,
} as const;

/** The tail call counter travels here between functions. */
export const TCC = RV.a6;
/** Where the schemes that copy the counter keep it across calls. */
export const TCC_SAVED = RV.s6;
/** Base of the arena in the kernel, in programs that have one. */
export const ARENA = RV.s7;
/** What the counter starts from: the number of tail calls a program entry may take. */
export const MAX_TAIL_CALL_CNT = 33;

/** Marks a BPF register number that does not exist. */
export const NO_REGISTER = 255;

/** BPF R0…R10 in RV64 registers. */
const BPF_REGISTERS = [RV.a5, RV.a0, RV.a1, RV.a2, RV.a3, RV.a4, RV.s1, RV.s2, RV.s3, RV.s4, RV.s5] as const;

/**
 * The RV64 register of each of the 16 numbers a register field can hold; {@link NO_REGISTER} where there is none.
 * @param axRegister BPF number of AX; where it is 12, number 11 is the stack-argument register that RV64 maps to x0
 */
export function registerMap(axRegister: number): Uint8Array {
  const known = MAPS.get(axRegister);
  if (known) return known;
  const map = new Uint8Array(16).fill(NO_REGISTER);
  map.set(BPF_REGISTERS);
  for (let number = BPF_REGISTERS.length; number < axRegister; number++) map[number] = RV.zero;
  map[axRegister] = RV.t0;
  MAPS.set(axRegister, map);
  return map;
}

const MAPS = new Map<number, Uint8Array>();

/** True for the eight registers that most compressed formats can name: fp, s1, a0…a5. */
export const isCompressedRegister = (register: number): boolean => (register & ~7) === 8;
