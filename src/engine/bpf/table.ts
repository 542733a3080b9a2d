import { BPF_ALU_OP, BPF_ATOMIC_OP, BPF_CLASS, BPF_JMP_OP, BPF_MODE, BPF_SIZE, BPF_SRC } from './insn';

/**
 * From which instruction set version on programs may contain an operation; `kernel` marks what only the kernel itself
 * makes (verifier rewrites and probe modes): it occurs in xlated code and is refused in programs.
 */
export type BpfIsa = 1 | 2 | 3 | 4 | 'kernel';

/** Bytes of a memory access. */
export type BpfAccessSize = 1 | 2 | 4 | 8;

/** Why a load or store may fault and be fixed up (the kernel's PROBE modes); absent for plain accesses. */
export type BpfProbe = 'probe_mem' | 'probe_memsx' | 'probe_mem32' | 'probe_mem32sx' | 'probe_atomic';

interface OpBase {
  readonly code: number;
  readonly isa: BpfIsa;
}

/** What an opcode byte means. Fields beyond the opcode byte (off, imm, src) can refine it; see the functions below. */
export type BpfOp = OpBase &
  (
    | {
        readonly kind: 'alu';
        readonly width: 32 | 64;
        readonly op: AluName;
        /** The assignment as text: `+=`, `s>>=`, `=` … */
        readonly symbol: string;
        readonly source: 'imm' | 'reg';
      }
    /** Byte order: `le`/`be` (to little, big endian) and `bswap` (always); imm is 16, 32 or 64. */
    | { readonly kind: 'end'; readonly op: 'le' | 'be' | 'bswap' }
    | { readonly kind: 'ld_imm64' }
    /** The old packet loads: `r0 = *(u32 *)skb[imm]`, `skb[src + imm]`. */
    | { readonly kind: 'ld_abs' | 'ld_ind'; readonly size: BpfAccessSize }
    | {
        readonly kind: 'ldx';
        readonly size: BpfAccessSize;
        readonly signed: boolean;
        readonly probe?: BpfProbe;
      }
    | {
        readonly kind: 'st' | 'stx';
        readonly size: BpfAccessSize;
        readonly probe?: BpfProbe;
      }
    /** imm chooses the operation, see {@link atomicOp}. */
    | { readonly kind: 'atomic'; readonly size: BpfAccessSize; readonly probe?: BpfProbe }
    /** `goto`: by off, or by imm in `gotol`. */
    | { readonly kind: 'goto'; readonly long: boolean }
    | { readonly kind: 'may_goto' }
    | {
        readonly kind: 'branch';
        readonly width: 32 | 64;
        readonly op: BranchName;
        /** The comparison as text: `==`, `s<` … */
        readonly symbol: string;
        readonly source: 'imm' | 'reg';
      }
    | { readonly kind: 'call' }
    | { readonly kind: 'tail_call' }
    | { readonly kind: 'exit' }
    /** Speculation barrier; emits nothing on RISC-V. */
    | { readonly kind: 'nospec' }
  );

export type AluName =
  'add' | 'sub' | 'mul' | 'div' | 'or' | 'and' | 'lsh' | 'rsh' | 'neg' | 'mod' | 'xor' | 'mov' | 'arsh';
export type BranchName = 'eq' | 'gt' | 'ge' | 'set' | 'ne' | 'sgt' | 'sge' | 'lt' | 'le' | 'slt' | 'sle';
export type AtomicName = 'add' | 'or' | 'and' | 'xor' | 'xchg' | 'cmpxchg' | 'load_acquire' | 'store_release';

/** ALU operations with their text as an assignment. */
export const ALU_OPS: readonly { readonly op: AluName; readonly bits: number; readonly symbol: string }[] = [
  { op: 'add', bits: BPF_ALU_OP.ADD, symbol: '+=' },
  { op: 'sub', bits: BPF_ALU_OP.SUB, symbol: '-=' },
  { op: 'mul', bits: BPF_ALU_OP.MUL, symbol: '*=' },
  { op: 'div', bits: BPF_ALU_OP.DIV, symbol: '/=' },
  { op: 'or', bits: BPF_ALU_OP.OR, symbol: '|=' },
  { op: 'and', bits: BPF_ALU_OP.AND, symbol: '&=' },
  { op: 'lsh', bits: BPF_ALU_OP.LSH, symbol: '<<=' },
  { op: 'rsh', bits: BPF_ALU_OP.RSH, symbol: '>>=' },
  { op: 'mod', bits: BPF_ALU_OP.MOD, symbol: '%=' },
  { op: 'xor', bits: BPF_ALU_OP.XOR, symbol: '^=' },
  { op: 'mov', bits: BPF_ALU_OP.MOV, symbol: '=' },
  { op: 'arsh', bits: BPF_ALU_OP.ARSH, symbol: 's>>=' },
];

/** Conditional jumps with the text of their comparison. */
export const BRANCH_OPS: readonly {
  readonly op: BranchName;
  readonly bits: number;
  readonly symbol: string;
}[] = [
  { op: 'eq', bits: BPF_JMP_OP.JEQ, symbol: '==' },
  { op: 'gt', bits: BPF_JMP_OP.JGT, symbol: '>' },
  { op: 'ge', bits: BPF_JMP_OP.JGE, symbol: '>=' },
  { op: 'set', bits: BPF_JMP_OP.JSET, symbol: '&' },
  { op: 'ne', bits: BPF_JMP_OP.JNE, symbol: '!=' },
  { op: 'sgt', bits: BPF_JMP_OP.JSGT, symbol: 's>' },
  { op: 'sge', bits: BPF_JMP_OP.JSGE, symbol: 's>=' },
  { op: 'lt', bits: BPF_JMP_OP.JLT, symbol: '<' },
  { op: 'le', bits: BPF_JMP_OP.JLE, symbol: '<=' },
  { op: 'slt', bits: BPF_JMP_OP.JSLT, symbol: 's<' },
  { op: 'sle', bits: BPF_JMP_OP.JSLE, symbol: 's<=' },
];

/** Atomic read-modify-write operations without their FETCH flag, as C operators. */
export const ATOMIC_SYMBOLS: Readonly<Record<'add' | 'or' | 'and' | 'xor', string>> = {
  add: '+=',
  or: '|=',
  and: '&=',
  xor: '^=',
};

const SIZES: readonly { readonly bits: number; readonly bytes: BpfAccessSize }[] = [
  { bits: BPF_SIZE.B, bytes: 1 },
  { bits: BPF_SIZE.H, bytes: 2 },
  { bits: BPF_SIZE.W, bytes: 4 },
  { bits: BPF_SIZE.DW, bytes: 8 },
];

/** The size bits of an opcode for an access of that many bytes. */
export function sizeBits(bytes: BpfAccessSize): number {
  return SIZES.find((size) => size.bytes === bytes)?.bits ?? BPF_SIZE.DW;
}

/** Every opcode that exists, by opcode byte. */
const OPS: readonly (BpfOp | undefined)[] = buildOps();

/** What the opcode byte `code` (0…255) stands for; undefined when no kernel knows it. */
export function opOf(code: number): BpfOp | undefined {
  return OPS[code];
}

/** All opcodes in ascending order of their byte. */
export function allOps(): readonly BpfOp[] {
  return OPS.filter((op) => op !== undefined);
}

/** The operation of an atomic instruction by its imm; undefined when there is none such. */
export function atomicOp(imm: number): { readonly op: AtomicName; readonly fetch: boolean } | undefined {
  switch (imm) {
    case BPF_ATOMIC_OP.XCHG:
      return { op: 'xchg', fetch: true };
    case BPF_ATOMIC_OP.CMPXCHG:
      return { op: 'cmpxchg', fetch: true };
    case BPF_ATOMIC_OP.LOAD_ACQ:
      return { op: 'load_acquire', fetch: false };
    case BPF_ATOMIC_OP.STORE_REL:
      return { op: 'store_release', fetch: false };
  }
  const fetch = (imm & BPF_ATOMIC_OP.FETCH) !== 0;
  switch (imm & ~BPF_ATOMIC_OP.FETCH) {
    case BPF_ATOMIC_OP.ADD:
      return { op: 'add', fetch };
    case BPF_ATOMIC_OP.OR:
      return { op: 'or', fetch };
    case BPF_ATOMIC_OP.AND:
      return { op: 'and', fetch };
    case BPF_ATOMIC_OP.XOR:
      return { op: 'xor', fetch };
  }
  return undefined;
}

/** The imm of an atomic instruction. */
export function atomicImm(op: AtomicName, fetch: boolean): number {
  switch (op) {
    case 'xchg':
      return BPF_ATOMIC_OP.XCHG;
    case 'cmpxchg':
      return BPF_ATOMIC_OP.CMPXCHG;
    case 'load_acquire':
      return BPF_ATOMIC_OP.LOAD_ACQ;
    case 'store_release':
      return BPF_ATOMIC_OP.STORE_REL;
    case 'add':
      return BPF_ATOMIC_OP.ADD | (fetch ? BPF_ATOMIC_OP.FETCH : 0);
    case 'or':
      return BPF_ATOMIC_OP.OR | (fetch ? BPF_ATOMIC_OP.FETCH : 0);
    case 'and':
      return BPF_ATOMIC_OP.AND | (fetch ? BPF_ATOMIC_OP.FETCH : 0);
    case 'xor':
      return BPF_ATOMIC_OP.XOR | (fetch ? BPF_ATOMIC_OP.FETCH : 0);
  }
}

function buildOps(): (BpfOp | undefined)[] {
  const ops: (BpfOp | undefined)[] = new Array<BpfOp | undefined>(256).fill(undefined);
  const put = (op: BpfOp): void => {
    ops[op.code] = op;
  };

  for (const width of [32, 64] as const) {
    const cls = width === 64 ? BPF_CLASS.ALU64 : BPF_CLASS.ALU;
    for (const { op, bits, symbol } of ALU_OPS) {
      put({ kind: 'alu', code: cls | bits | BPF_SRC.K, isa: 1, width, op, symbol, source: 'imm' });
      put({ kind: 'alu', code: cls | bits | BPF_SRC.X, isa: 1, width, op, symbol, source: 'reg' });
    }
    put({ kind: 'alu', code: cls | BPF_ALU_OP.NEG, isa: 1, width, op: 'neg', symbol: '= -', source: 'imm' });
  }
  put({ kind: 'end', code: BPF_CLASS.ALU | BPF_ALU_OP.END | BPF_SRC.K, isa: 1, op: 'le' });
  put({ kind: 'end', code: BPF_CLASS.ALU | BPF_ALU_OP.END | BPF_SRC.X, isa: 1, op: 'be' });
  put({ kind: 'end', code: BPF_CLASS.ALU64 | BPF_ALU_OP.END | BPF_SRC.K, isa: 4, op: 'bswap' });

  put({ kind: 'ld_imm64', code: BPF_CLASS.LD | BPF_SIZE.DW | BPF_MODE.IMM, isa: 1 });
  for (const { bits, bytes: size } of SIZES) {
    if (size !== 8) {
      put({ kind: 'ld_abs', code: BPF_CLASS.LD | bits | BPF_MODE.ABS, isa: 1, size });
      put({ kind: 'ld_ind', code: BPF_CLASS.LD | bits | BPF_MODE.IND, isa: 1, size });
    }
    const ldx = BPF_CLASS.LDX | bits;
    put({ kind: 'ldx', code: ldx | BPF_MODE.MEM, isa: 1, size, signed: false });
    put({
      kind: 'ldx',
      code: ldx | BPF_MODE.PROBE_MEM,
      isa: 'kernel',
      size,
      signed: false,
      probe: 'probe_mem',
    });
    put({
      kind: 'ldx',
      code: ldx | BPF_MODE.PROBE_MEM32,
      isa: 'kernel',
      size,
      signed: false,
      probe: 'probe_mem32',
    });
    if (size !== 8) {
      put({ kind: 'ldx', code: ldx | BPF_MODE.MEMSX, isa: 4, size, signed: true });
      put({
        kind: 'ldx',
        code: ldx | BPF_MODE.PROBE_MEMSX,
        isa: 'kernel',
        size,
        signed: true,
        probe: 'probe_memsx',
      });
      put({
        kind: 'ldx',
        code: ldx | BPF_MODE.PROBE_MEM32SX,
        isa: 'kernel',
        size,
        signed: true,
        probe: 'probe_mem32sx',
      });
    }
    put({ kind: 'st', code: BPF_CLASS.ST | bits | BPF_MODE.MEM, isa: 1, size });
    put({
      kind: 'st',
      code: BPF_CLASS.ST | bits | BPF_MODE.PROBE_MEM32,
      isa: 'kernel',
      size,
      probe: 'probe_mem32',
    });
    put({ kind: 'stx', code: BPF_CLASS.STX | bits | BPF_MODE.MEM, isa: 1, size });
    put({
      kind: 'stx',
      code: BPF_CLASS.STX | bits | BPF_MODE.PROBE_MEM32,
      isa: 'kernel',
      size,
      probe: 'probe_mem32',
    });
    // 8 and 16 bits exist for load_acquire and store_release only
    put({ kind: 'atomic', code: BPF_CLASS.STX | bits | BPF_MODE.ATOMIC, isa: size < 4 ? 4 : 1, size });
    put({
      kind: 'atomic',
      code: BPF_CLASS.STX | bits | BPF_MODE.PROBE_ATOMIC,
      isa: 'kernel',
      size,
      probe: 'probe_atomic',
    });
  }
  put({ kind: 'nospec', code: BPF_CLASS.ST | BPF_MODE.NOSPEC, isa: 'kernel' });

  put({ kind: 'goto', code: BPF_CLASS.JMP | BPF_JMP_OP.JA, isa: 1, long: false });
  put({ kind: 'goto', code: BPF_CLASS.JMP32 | BPF_JMP_OP.JA, isa: 4, long: true });
  put({ kind: 'may_goto', code: BPF_CLASS.JMP | BPF_JMP_OP.JCOND, isa: 4 });
  for (const width of [32, 64] as const) {
    const cls = width === 64 ? BPF_CLASS.JMP : BPF_CLASS.JMP32;
    for (const { op, bits, symbol } of BRANCH_OPS) {
      const isa = width === 32 ? 3 : ['lt', 'le', 'slt', 'sle'].includes(op) ? 2 : 1;
      put({ kind: 'branch', code: cls | bits | BPF_SRC.K, isa, width, op, symbol, source: 'imm' });
      put({ kind: 'branch', code: cls | bits | BPF_SRC.X, isa, width, op, symbol, source: 'reg' });
    }
  }
  put({ kind: 'call', code: BPF_CLASS.JMP | BPF_JMP_OP.CALL, isa: 1 });
  put({ kind: 'exit', code: BPF_CLASS.JMP | BPF_JMP_OP.EXIT, isa: 1 });
  put({ kind: 'tail_call', code: BPF_CLASS.JMP | BPF_JMP_OP.TAIL_CALL, isa: 'kernel' });
  return ops;
}
