import { helperId } from './helpers';
import {
  BPF_ALU_OP,
  BPF_CLASS,
  BPF_JMP_OP,
  BPF_MODE,
  BPF_PSEUDO,
  BPF_SRC,
  TAIL_CALL,
  CALL,
  EXIT,
} from './insn';
import type { BpfInsn } from './insn';
import { bigNumber, bytes, emit, emit64, fail, reg, s16, s32, space, type Line } from './assemble-line';
import {
  ALU_OPS,
  ATOMIC_SYMBOLS,
  BRANCH_OPS,
  allOps,
  atomicImm,
  sizeBits,
  type AtomicName,
  type BpfProbe,
} from './table';

/** A form of instruction; `build` returns false when the text only looks like it. */
export interface Form {
  readonly pattern: RegExp;
  readonly build: (line: Line, part: readonly string[]) => boolean;
}

const NUMBER = '([+-]?(?:0x[0-9a-fA-F]+|\\d+))';
const PLACE = '\\( ?r(\\d+) ?([+-] ?(?:0x[0-9a-fA-F]+|\\d+))? ?\\)';
const PROBES: readonly BpfProbe[] = [
  'probe_mem',
  'probe_memsx',
  'probe_mem32',
  'probe_mem32sx',
  'probe_atomic',
];
const PROBE = `(?: (${PROBES.join('|')}))?`;
const TARGET = '(pc ?[+-] ?(?:0x[0-9a-fA-F]+|\\d+)|[A-Za-z_.$][\\w.$]*)';
/** A text for use inside a pattern. */
const escape = (text: string): string => text.replace(/[-/\\^$*+?.()|[\]{}]/g, '\\$&');
const choice = (texts: readonly string[]): string =>
  [...texts]
    .sort((a, b) => b.length - a.length)
    .map(escape)
    .join('|');

const ASSIGNMENTS = choice(ALU_OPS.filter((op) => op.op !== 'mov').map((op) => op.symbol));
const COMPARISONS = choice(BRANCH_OPS.map((op) => op.symbol));

const form = (pattern: string, build: Form['build']): Form => ({
  pattern: new RegExp(`^${pattern}$`),
  build,
});

/** All forms; the first that matches and builds wins. */
export const FORMS: readonly Form[] = [
  form('exit', (line) => emit(line, { code: EXIT })),
  form('nospec', (line) => emit(line, { code: BPF_CLASS.ST | BPF_MODE.NOSPEC })),
  form('tail_call', (line) => emit(line, { code: TAIL_CALL })),

  // jumps
  form(`goto ${TARGET}`, (line, [, target]) =>
    jump(line, { code: BPF_CLASS.JMP | BPF_JMP_OP.JA }, 'off', target),
  ),
  form(`gotol ${TARGET}`, (line, [, target]) =>
    jump(line, { code: BPF_CLASS.JMP32 | BPF_JMP_OP.JA }, 'imm', target),
  ),
  form(`may_goto ${TARGET}`, (line, [, target]) =>
    jump(line, { code: BPF_CLASS.JMP | BPF_JMP_OP.JCOND }, 'off', target),
  ),
  form(
    `if ([rw])(\\d+) (${COMPARISONS}) (?:([rw])(\\d+)|${NUMBER}) goto ${TARGET}`,
    (line, [, r, dst, symbol, r2, src, imm, target]) => {
      const op = BRANCH_OPS.find((branch) => branch.symbol === symbol);
      if (!op) return false;
      const code = (r === 'r' ? BPF_CLASS.JMP : BPF_CLASS.JMP32) | op.bits;
      if (src === '') return jump(line, { code, dst: reg(line, dst), imm: s32(line, imm) }, 'off', target);
      if (r !== r2) fail(line, 'both sides of a comparison must be r or w registers');
      return jump(line, { code: code | BPF_SRC.X, dst: reg(line, dst), src: reg(line, src) }, 'off', target);
    },
  ),
  form('call (.+)', (line, [, operand]) => call(line, operand)),

  // memory
  form(
    `r(\\d+) = \\*\\( ?([us])(8|16|32|64) ?\\*\\) ?${PLACE}${PROBE}`,
    (line, [, dst, sign, bits, src, off, probe]) => {
      const size = bytes(bits);
      const op = allOps().find(
        (op) =>
          op.kind === 'ldx' && op.size === size && op.signed === (sign === 's') && (op.probe ?? '') === probe,
      );
      if (!op) fail(line, `there is no such load of ${bits} bits`);
      return emit(line, { code: op.code, dst: reg(line, dst), src: reg(line, src), off: s16(line, off) });
    },
  ),
  form(
    `\\*\\( ?u(8|16|32|64) ?\\*\\) ?${PLACE} = (?:r(\\d+)|${NUMBER})${PROBE}`,
    (line, [, bits, dst, off, src, imm, probe]) => {
      const size = bytes(bits);
      const kind = src === '' ? 'st' : 'stx';
      const op = allOps().find((op) => op.kind === kind && op.size === size && (op.probe ?? '') === probe);
      if (!op) fail(line, `there is no such store of ${bits} bits`);
      const rest = src === '' ? { imm: s32(line, imm) } : { src: reg(line, src) };
      return emit(line, { code: op.code, dst: reg(line, dst), off: s16(line, off), ...rest });
    },
  ),
  form(`r0 = \\*\\( ?u(8|16|32) ?\\*\\) ?skb\\[(?:r(\\d+) ?\\+ ?)?${NUMBER}\\]`, (line, [, bits, src, imm]) =>
    emit(line, {
      code: BPF_CLASS.LD | sizeBits(bytes(bits)) | (src === '' ? BPF_MODE.ABS : BPF_MODE.IND),
      src: src === '' ? 0 : reg(line, src),
      imm: s32(line, imm),
    }),
  ),
  form(
    `lock \\*\\( ?u(8|16|32|64) ?\\*\\) ?${PLACE} (\\+=|\\|=|&=|\\^=) r(\\d+)${PROBE}`,
    (line, [, bits, dst, off, symbol, src, probe]) => {
      const op = (['add', 'or', 'and', 'xor'] as const).find((name) => ATOMIC_SYMBOLS[name] === symbol);
      return op === undefined ? false : atomic(line, { bits, dst, off, src, probe, op, fetch: false });
    },
  ),
  form(
    `[rw](\\d+) = atomic(64)?_(fetch_add|fetch_or|fetch_and|fetch_xor|xchg|cmpxchg) ?\\( ?\\( ?u(8|16|32|64) ?\\*\\) ?${PLACE}, (?:[rw]0, )?[rw](\\d+) ?\\)${PROBE}`,
    (line, [, result, , name, bits, dst, off, src, probe]) => {
      const op = ATOMICS.get(name ?? '');
      if (op === undefined) return false;
      const expected = op === 'cmpxchg' ? '0' : src;
      if (result !== expected) fail(line, `the old value comes back in r${expected}`);
      return atomic(line, { bits, dst, off, src, probe, op, fetch: true });
    },
  ),
  form(
    `r(\\d+) = load_acquire\\( ?\\( ?u(8|16|32|64) ?\\*\\) ?${PLACE} ?\\)${PROBE}`,
    (line, [, dst, bits, src, off, probe]) =>
      atomic(line, { bits, dst, off, src, probe, op: 'load_acquire', fetch: false }),
  ),
  form(
    `store_release\\( ?\\( ?u(8|16|32|64) ?\\*\\) ?${PLACE}, r(\\d+) ?\\)${PROBE}`,
    (line, [, bits, dst, off, src, probe]) =>
      atomic(line, { bits, dst, off, src, probe, op: 'store_release', fetch: false }),
  ),

  // 64-bit loads
  form('r(\\d+) = (0x[0-9a-fA-F]+)(?: ll)?', (line, [, dst, value]) => load64(line, dst, value)),
  form(`r(\\d+) = ${NUMBER} ?ll`, (line, [, dst, value]) => load64(line, dst, value)),
  form(`r(\\d+) = map\\[(fd|idx):${NUMBER}\\](?:\\[0\\]${NUMBER})?`, (line, [, dst, by, which, off]) => {
    const whole = by === 'fd' ? BPF_PSEUDO.MAP_FD : BPF_PSEUDO.MAP_IDX;
    const value = by === 'fd' ? BPF_PSEUDO.MAP_VALUE : BPF_PSEUDO.MAP_IDX_VALUE;
    return emit64(
      line,
      reg(line, dst),
      off === '' ? whole : value,
      s32(line, which),
      off === '' ? 0 : s32(line, off),
    );
  }),
  form(`r(\\d+) = map\\[(?:name:)?([\\w.]+)\\](?:\\[0\\]${NUMBER})?`, (line, [, dst, map = '', off]) => {
    const insn = line.state.insns.length;
    const offset = off === '' ? undefined : s32(line, off);
    line.state.maps.push(offset === undefined ? { insn, map } : { insn, map, offset });
    return emit64(
      line,
      reg(line, dst),
      offset === undefined ? BPF_PSEUDO.MAP_FD : BPF_PSEUDO.MAP_VALUE,
      0,
      offset ?? 0,
    );
  }),
  form(`r(\\d+) = subprog\\[(?:${NUMBER}|([A-Za-z_.$][\\w.$]*))\\]`, (line, [, dst, imm, label]) => {
    const insn = line.state.insns.length;
    if (label !== '' && label !== undefined)
      line.state.fixups.push({ insn, field: 'imm', label, line: line.number });
    return emit64(line, reg(line, dst), BPF_PSEUDO.FUNC, imm === '' ? 0 : s32(line, imm), 0);
  }),
  form(`r(\\d+) = btf_id\\[${NUMBER}\\](?:@${NUMBER})?`, (line, [, dst, id, fd]) =>
    emit64(line, reg(line, dst), BPF_PSEUDO.BTF_ID, s32(line, id), fd === '' ? 0 : s32(line, fd)),
  ),

  // arithmetic
  form('r(\\d+) = (le|be|bswap)(16|32|64) r(\\d+)', (line, [, dst, kind, bits, again]) => {
    if (dst !== again) fail(line, 'a byte swap works in place, on one register');
    const code =
      BPF_ALU_OP.END | (kind === 'bswap' ? BPF_CLASS.ALU64 : BPF_CLASS.ALU) | (kind === 'be' ? BPF_SRC.X : 0);
    return emit(line, { code, dst: reg(line, dst), imm: Number(bits) });
  }),
  form('([rw])(\\d+) = - ?([rw])(\\d+)', (line, [, r, dst, r2, again]) => {
    if (r !== r2 || dst !== again) fail(line, 'a negation works in place, on one register');
    return emit(line, { code: aluClass(r) | BPF_ALU_OP.NEG, dst: reg(line, dst) });
  }),
  form('r(\\d+) = & ?\\(void __percpu \\*\\) ?\\( ?r(\\d+) ?\\)', (line, [, dst, src]) =>
    emit(line, { code: MOV64_X, dst: reg(line, dst), src: reg(line, src), off: -1 }),
  ),
  form('r(\\d+) = addr_space_cast\\( ?r(\\d+), ?(\\d+), ?(\\d+) ?\\)', (line, [, dst, src, to, from]) =>
    emit(line, {
      code: MOV64_X,
      dst: reg(line, dst),
      src: reg(line, src),
      off: 1,
      imm: (space(line, to) << 16) | space(line, from),
    }),
  ),
  form(
    '([rw])(\\d+) = (?:\\(s(8|16|32)\\) ?)?([rw])(\\d+)( zext)?',
    (line, [, r, dst, bits, r2, src, zext]) => {
      if (r !== r2) fail(line, 'both sides of a move must be r or w registers');
      if (zext !== '' && r === 'r') fail(line, 'an explicit zero extension is a move of w registers');
      return emit(line, {
        code: aluClass(r) | BPF_ALU_OP.MOV | BPF_SRC.X,
        dst: reg(line, dst),
        src: reg(line, src),
        off: bits === '' ? 0 : Number(bits),
        imm: zext === '' ? 0 : 1,
      });
    },
  ),
  form(`([rw])(\\d+) = ${NUMBER}`, (line, [, r, dst, imm]) =>
    emit(line, { code: aluClass(r) | BPF_ALU_OP.MOV, dst: reg(line, dst), imm: s32(line, imm) }),
  ),
  form(
    `([rw])(\\d+) (s)?(${ASSIGNMENTS}) (?:([rw])(\\d+)|${NUMBER})`,
    (line, [, r, dst, sign, symbol, r2, src, imm]) => {
      // `s>>=` is an operation of its own, `s/=` and `s%=` are variants chosen by off
      const own = ALU_OPS.find((op) => op.symbol === `${sign ?? ''}${symbol ?? ''}`);
      const op = own ?? ALU_OPS.find((op) => op.symbol === symbol && (op.op === 'div' || op.op === 'mod'));
      if (!op) return false;
      const off = own === undefined ? 1 : 0;
      const code = aluClass(r) | op.bits;
      if (src === '') return emit(line, { code, dst: reg(line, dst), off, imm: s32(line, imm) });
      if (r !== r2) fail(line, 'both sides of an operation must be r or w registers');
      return emit(line, { code: code | BPF_SRC.X, dst: reg(line, dst), src: reg(line, src), off });
    },
  ),
];

const MOV64_X = BPF_CLASS.ALU64 | BPF_ALU_OP.MOV | BPF_SRC.X;

const ATOMICS: ReadonlyMap<string, AtomicName> = new Map([
  ['fetch_add', 'add'],
  ['fetch_or', 'or'],
  ['fetch_and', 'and'],
  ['fetch_xor', 'xor'],
  ['xchg', 'xchg'],
  ['cmpxchg', 'cmpxchg'],
]);

interface AtomicParts {
  readonly bits: string | undefined;
  readonly dst: string | undefined;
  readonly off: string | undefined;
  readonly src: string | undefined;
  readonly probe: string | undefined;
  readonly op: AtomicName;
  readonly fetch: boolean;
}

function atomic(line: Line, parts: AtomicParts): true {
  const size = bytes(parts.bits);
  if (size < 4 && parts.op !== 'load_acquire' && parts.op !== 'store_release') {
    fail(line, 'atomic operations work on 32 or 64 bits');
  }
  const mode = parts.probe === 'probe_atomic' ? BPF_MODE.PROBE_ATOMIC : BPF_MODE.ATOMIC;
  if (parts.probe !== '' && parts.probe !== 'probe_atomic')
    fail(line, 'an atomic operation probes as probe_atomic only');
  return emit(line, {
    code: BPF_CLASS.STX | sizeBits(size) | mode,
    dst: reg(line, parts.dst),
    src: reg(line, parts.src),
    off: s16(line, parts.off),
    imm: atomicImm(parts.op, parts.fetch),
  });
}

function jump(
  line: Line,
  insn: Partial<BpfInsn> & { readonly code: number },
  field: 'off' | 'imm',
  target = '',
): true {
  const relative = /^pc ?([+-].*)$/.exec(target);
  if (relative?.[1] !== undefined) {
    return emit(line, {
      ...insn,
      [field]: field === 'off' ? s16(line, relative[1]) : s32(line, relative[1]),
    });
  }
  line.state.fixups.push({ insn: line.state.insns.length, field, label: target, line: line.number });
  return emit(line, insn);
}

function load64(line: Line, dst: string | undefined, text: string | undefined): true {
  const value = bigNumber(text);
  if (value < -(1n << 63n) || value >= 1n << 64n) fail(line, 'the number does not fit in 64 bits');
  return emit64(
    line,
    reg(line, dst),
    0,
    Number(BigInt.asIntN(32, value)),
    Number(BigInt.asIntN(32, value >> 32n)),
  );
}

/**
 * `pc+5`, `pc+5#name`, `pc+5#1` (distance and subprogram number, as in the kernel's program information), `name#imm`, `#imm`, `imm`, a helper's name or a label. A name that is no helper's before `#imm` makes it a
 * call of a kernel function, as the verifier prints those.
 */
function call(line: Line, operand = ''): boolean {
  const relative = /^(pc ?[+-] ?(?:0x[0-9a-fA-F]+|\d+))(?:#[\w.]*)?$/.exec(operand);
  const dumped = /^pc ?([+-] ?\d+)#(-?\d+)$/.exec(operand);
  if (dumped) {
    return emit(line, {
      code: CALL,
      src: BPF_PSEUDO.CALL,
      off: s16(line, dumped[1]),
      imm: s32(line, dumped[2]),
    });
  }
  if (relative) return jump(line, { code: CALL, src: BPF_PSEUDO.CALL }, 'imm', relative[1]);
  const numbered = /^(?:([\w.-]*)#)?(-?(?:0x[0-9a-fA-F]+|\d+))(?: btf\[(-?\d+)\])?$/.exec(operand);
  if (numbered) {
    const [, name = '', imm, btf] = numbered;
    const kfunc = name !== '' && name !== 'unknown' && helperId(name) === undefined;
    if (btf !== undefined && !kfunc) fail(line, 'only a call of a kernel function names a BTF object');
    const src = kfunc ? BPF_PSEUDO.KFUNC_CALL : 0;
    return emit(line, { code: CALL, src, off: s16(line, btf), imm: s32(line, imm) });
  }
  if (!/^[A-Za-z_.$][\w.$]*$/.test(operand)) return false;
  const helper = helperId(operand);
  if (helper !== undefined) return emit(line, { code: CALL, imm: helper });
  return jump(line, { code: CALL, src: BPF_PSEUDO.CALL }, 'imm', operand);
}
const aluClass = (r: string | undefined): number => (r === 'r' ? BPF_CLASS.ALU64 : BPF_CLASS.ALU);
