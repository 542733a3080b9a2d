import { hex64 } from '../base/hex';
import { unreachable } from '../base/errors';
import { imm64 } from './bytes';
import { helperName } from './helpers';
import { BPF_PSEUDO, type BpfInsn } from './insn';
import { ATOMIC_SYMBOLS, atomicOp, opOf, type BpfAccessSize, type BpfOp } from './table';

/** How instructions are written. */
export interface PrintOptions {
  /** What the ld_imm64 at this slot loads, for instance `map[name:hits]`; its number is printed when undefined. */
  readonly note?: (slot: number) => string | undefined;
  /**
   * The name of what a call goes to. Helper and kfunc calls print it before `#imm`, bpf2bpf calls after `pc+N#`. In code
   * behind the verifier a helper's imm is an address difference; only the caller knows the name then.
   */
  readonly callName?: (insn: BpfInsn, slot: number) => string | undefined;
}

/**
 * The instruction at slot `index` as the kernel's verifier and `bpftool prog dump xlated` print it, for instance
 * `r0 = *(u64 *)(r1 +8)`, `w0 = -22`, `if r1 == 0x0 goto pc+132`, `call bpf_map_lookup_elem#1`. What exists only behind the
 * verifier carries a word of its own at the end (`probe_mem`, `zext`, …), which the kernel leaves out. The second slot of
 * ld_imm64 prints as nothing (an empty text), an opcode that does not exist as `.byte/(xx)`; never throws.
 */
export function printInsn(insns: readonly BpfInsn[], index: number, options: PrintOptions = {}): string {
  const insn = insns[index];
  if (!insn) return '';
  const op = opOf(insn.code);
  if (!op) return insn.code === 0 && isSecondSlot(insns, index) ? '' : unknown(insn);
  return printOp(op, insn, insns, index, options);
}

/** Whether the slot is the second half of a ld_imm64. */
export function isSecondSlot(insns: readonly BpfInsn[], index: number): boolean {
  // A ld_imm64's own second slot has code 0 and so never starts another one.
  return index > 0 && insns[index]?.code === 0 && opOf(insns[index - 1]?.code ?? 0)?.kind === 'ld_imm64';
}

function printOp(
  op: BpfOp,
  insn: BpfInsn,
  insns: readonly BpfInsn[],
  index: number,
  options: PrintOptions,
): string {
  switch (op.kind) {
    case 'alu':
      return printAlu(op, insn);
    case 'end': {
      const name = op.op + String(insn.imm);
      return `r${insn.dst} = ${name} r${insn.dst}`;
    }
    case 'ld_imm64':
      return `r${insn.dst} = ${options.note?.(index) ?? loaded(insns, index)}`;
    case 'ld_abs':
      return `r0 = *(${unsignedType(op.size)} *)skb[${insn.imm}]`;
    case 'ld_ind':
      return `r0 = *(${unsignedType(op.size)} *)skb[r${insn.src} + ${insn.imm}]`;
    case 'ldx': {
      const type = op.signed ? `s${op.size * 8}` : unsignedType(op.size);
      return suffixed(`r${insn.dst} = *(${type} *)${place(insn.src, insn.off)}`, op.probe);
    }
    case 'st':
      return suffixed(`*(${unsignedType(op.size)} *)${place(insn.dst, insn.off)} = ${insn.imm}`, op.probe);
    case 'stx':
      return suffixed(`*(${unsignedType(op.size)} *)${place(insn.dst, insn.off)} = r${insn.src}`, op.probe);
    case 'atomic':
      return suffixed(printAtomic(op.size, insn), op.probe);
    case 'nospec':
      return 'nospec';
    case 'goto':
      return op.long ? `gotol pc${signed(insn.imm)}` : `goto pc${signed(insn.off)}`;
    case 'may_goto':
      return `may_goto pc${signed(insn.off)}`;
    case 'branch': {
      const r = op.width === 64 ? 'r' : 'w';
      const right = op.source === 'reg' ? `${r}${insn.src}` : `0x${(insn.imm >>> 0).toString(16)}`;
      return `if ${r}${insn.dst} ${op.symbol} ${right} goto pc${signed(insn.off)}`;
    }
    case 'call':
      return printCall(insn, options.callName?.(insn, index));
    case 'tail_call':
      return 'tail_call';
    case 'exit':
      return 'exit';
    default:
      return unreachable(op);
  }
}

function printAlu(op: BpfOp & { kind: 'alu' }, insn: BpfInsn): string {
  const r = op.width === 64 ? 'r' : 'w';
  const dst = `${r}${insn.dst}`;
  if (op.op === 'neg') return `${dst} = -${dst}`;
  if (op.op === 'mov' && op.source === 'reg') return printMove(op.width, insn);
  const signedOp = (op.op === 'div' || op.op === 'mod') && insn.off === 1 ? 's' : '';
  return `${dst} ${signedOp}${op.symbol} ${op.source === 'reg' ? `${r}${insn.src}` : insn.imm}`;
}

/** Register moves have variants chosen by off: sign extension, per-cpu address, address space cast. */
function printMove(width: 32 | 64, insn: BpfInsn): string {
  const r = width === 64 ? 'r' : 'w';
  const dst = `${r}${insn.dst}`;
  const src = `${r}${insn.src}`;
  if (width === 64 && insn.off === -1) return `${dst} = &(void __percpu *)(${src})`;
  if (width === 64 && insn.off === 1) {
    return `${dst} = addr_space_cast(${src}, ${insn.imm >>> 16}, ${insn.imm & 0xffff})`;
  }
  if (insn.off === 8 || insn.off === 16 || insn.off === 32) return `${dst} = (s${insn.off})${src}`;
  // imm 1 in a 32-bit move: the verifier's explicit zero extension (insn_is_zext)
  return width === 32 && insn.imm === 1 ? `${dst} = ${src} zext` : `${dst} = ${src}`;
}

function printAtomic(size: BpfAccessSize, insn: BpfInsn): string {
  const atomic = atomicOp(insn.imm);
  const type = unsignedType(size);
  const where = `(${type} *)${place(insn.dst, insn.off)}`;
  if (!atomic) return unknown(insn);
  const name = size === 8 ? 'atomic64' : 'atomic';
  switch (atomic.op) {
    case 'load_acquire':
      return `r${insn.dst} = load_acquire((${type} *)${place(insn.src, insn.off)})`;
    case 'store_release':
      return `store_release(${where}, r${insn.src})`;
    case 'xchg':
      return `r${insn.src} = ${name}_xchg(${where}, r${insn.src})`;
    case 'cmpxchg':
      return `r0 = ${name}_cmpxchg(${where}, r0, r${insn.src})`;
    case 'add':
    case 'or':
    case 'and':
    case 'xor':
      return atomic.fetch
        ? `r${insn.src} = ${name}_fetch_${atomic.op}(${where}, r${insn.src})`
        : `lock *${where} ${ATOMIC_SYMBOLS[atomic.op]} r${insn.src}`;
    default:
      return unreachable(atomic.op);
  }
}

function printCall(insn: BpfInsn, name: string | undefined): string {
  switch (insn.src) {
    case BPF_PSEUDO.CALL:
      // As the kernel's program information gives them, calls have the distance in off and the subprogram's number in imm.
      if (insn.off !== 0) return `call pc${signed(insn.off)}#${name ?? insn.imm}`;
      return `call pc${signed(insn.imm)}${name === undefined ? '' : `#${name}`}`;
    case BPF_PSEUDO.KFUNC_CALL:
      return `call ${name ?? 'kernel-function'}#${insn.imm}${insn.off === 0 ? '' : ` btf[${insn.off}]`}`;
    case 0:
      return `call ${name ?? helperName(insn.imm) ?? 'unknown'}#${insn.imm}`;
    default:
      return unknown(insn);
  }
}

/** What ld_imm64 loads, by its pseudo source. */
function loaded(insns: readonly BpfInsn[], index: number): string {
  const insn = insns[index];
  const high = insns[index + 1]?.imm ?? 0;
  switch (insn?.src) {
    case BPF_PSEUDO.MAP_FD:
      return `map[fd:${insn.imm}]`;
    case BPF_PSEUDO.MAP_VALUE:
      return `map[fd:${insn.imm}][0]${signed(high)}`;
    case BPF_PSEUDO.BTF_ID:
      return `btf_id[${insn.imm}]${high === 0 ? '' : `@${high}`}`;
    case BPF_PSEUDO.FUNC:
      return `subprog[${signed(insn.imm)}]`;
    case BPF_PSEUDO.MAP_IDX:
      return `map[idx:${insn.imm}]`;
    case BPF_PSEUDO.MAP_IDX_VALUE:
      return `map[idx:${insn.imm}][0]${signed(high)}`;
    default:
      return hex64(imm64(insns, index));
  }
}

function unknown(insn: BpfInsn): string {
  return `.byte/(${insn.code.toString(16).padStart(2, '0')})`;
}

const place = (register: number, off: number): string => `(r${register} ${signed(off)})`;
const signed = (value: number): string => (value < 0 ? String(value) : `+${value}`);
const unsignedType = (size: BpfAccessSize): string => `u${size * 8}`;
const suffixed = (text: string, word: string | undefined): string =>
  word === undefined ? text : `${text} ${word}`;
