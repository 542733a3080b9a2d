/**
 * One 8-byte slot of eBPF code, as `struct bpf_insn`. A 64-bit load (ld_imm64) takes two slots: the second has code 0
 * and carries the upper half of the value in `imm`. Indices everywhere count slots, as the kernel's do.
 */
export interface BpfInsn {
  /** Opcode byte: class (3 bits), then source and operation or size and mode. 0…255 */
  readonly code: number;
  /** Destination register, 0…15 */
  readonly dst: number;
  /** Source register or pseudo kind, 0…15 */
  readonly src: number;
  /** Signed 16-bit offset */
  readonly off: number;
  /** Signed 32-bit immediate */
  readonly imm: number;
}

/** Instruction classes: `code & 7`. */
export const BPF_CLASS = { LD: 0, LDX: 1, ST: 2, STX: 3, ALU: 4, JMP: 5, JMP32: 6, ALU64: 7 } as const;
/** Access sizes: `code & 0x18`. */
export const BPF_SIZE = { W: 0x00, H: 0x08, B: 0x10, DW: 0x18 } as const;
/** Modes of loads and stores: `code & 0xe0`; the PROBE modes arise inside the kernel. */
export const BPF_MODE = {
  IMM: 0x00,
  ABS: 0x20,
  IND: 0x40,
  MEM: 0x60,
  MEMSX: 0x80,
  PROBE_MEM32: 0xa0,
  ATOMIC: 0xc0,
  PROBE_ATOMIC: 0xe0,
  PROBE_MEM: 0x20,
  PROBE_MEMSX: 0x40,
  NOSPEC: 0xc0,
  PROBE_MEM32SX: 0xc0,
} as const;
/** Source of the second operand: `code & 8`. */
export const BPF_SRC = { K: 0, X: 8 } as const;
/** ALU operations: `code & 0xf0`. */
export const BPF_ALU_OP = {
  ADD: 0x00,
  SUB: 0x10,
  MUL: 0x20,
  DIV: 0x30,
  OR: 0x40,
  AND: 0x50,
  LSH: 0x60,
  RSH: 0x70,
  NEG: 0x80,
  MOD: 0x90,
  XOR: 0xa0,
  MOV: 0xb0,
  ARSH: 0xc0,
  END: 0xd0,
} as const;
/** Jump operations: `code & 0xf0`. TAIL_CALL (0xf5) exists only behind the verifier. */
export const BPF_JMP_OP = {
  JA: 0x00,
  JEQ: 0x10,
  JGT: 0x20,
  JGE: 0x30,
  JSET: 0x40,
  JNE: 0x50,
  JSGT: 0x60,
  JSGE: 0x70,
  CALL: 0x80,
  EXIT: 0x90,
  JLT: 0xa0,
  JLE: 0xb0,
  JSLT: 0xc0,
  JSLE: 0xd0,
  JCOND: 0xe0,
  TAIL_CALL: 0xf0,
} as const;
/** `imm` of atomic instructions; FETCH is a flag. */
export const BPF_ATOMIC_OP = {
  ADD: 0x00,
  OR: 0x40,
  AND: 0x50,
  XOR: 0xa0,
  FETCH: 0x01,
  XCHG: 0xe1,
  CMPXCHG: 0xf1,
  LOAD_ACQ: 0x100,
  STORE_REL: 0x110,
} as const;
/** `src` of ld_imm64 and of call instructions: what the immediate stands for. */
export const BPF_PSEUDO = {
  MAP_FD: 1,
  MAP_VALUE: 2,
  BTF_ID: 3,
  FUNC: 4,
  MAP_IDX: 5,
  MAP_IDX_VALUE: 6,
  CALL: 1,
  KFUNC_CALL: 2,
} as const;

/** Opcode of the first slot of ld_imm64. */
export const LD_IMM64 = BPF_CLASS.LD | BPF_SIZE.DW | BPF_MODE.IMM;
/** Opcode of a tail call behind the verifier (spec 9.5). */
export const TAIL_CALL = BPF_CLASS.JMP | BPF_JMP_OP.TAIL_CALL;
/** Opcode of a call with an immediate target. */
export const CALL = BPF_CLASS.JMP | BPF_JMP_OP.CALL;
/** Opcode of exit. */
export const EXIT = BPF_CLASS.JMP | BPF_JMP_OP.EXIT;
