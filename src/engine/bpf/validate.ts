import { EngineError, unreachable } from '../base/errors';
import { calledSlot, functionStarts } from './functions';
import { BPF_PSEUDO, type BpfInsn } from './insn';
import { printInsn } from './print';
import { atomicOp, opOf, type BpfOp } from './table';

/** What is allowed in the instructions. */
export interface ValidateOptions {
  /** First slots of functions besides those that calls name (functions that nobody calls). */
  readonly functions?: readonly number[];
  /** Also allow what only the kernel makes (tail_call, probe modes, r11 …), for code behind the verifier. */
  readonly xlated?: boolean;
}

/**
 * The structural part of what the kernel's verifier checks before it looks at values (check_subprogs, resolve_pseudo_ldimm64
 * and the reserved-field checks): opcodes, reserved fields, registers, jump and call targets, the end of each function.
 * Does not follow values; a program that passes may still be refused by a kernel.
 * @throws EngineError `bpf/opcode`, `bpf/reserved`, `bpf/register`, `bpf/jump`, `bpf/end` for the first fault, with the slot index in `insn`.
 */
export function validateProgram(insns: readonly BpfInsn[], options: ValidateOptions = {}): void {
  if (insns.length === 0)
    throw new EngineError('bpf/end', 'The program has no instructions; the smallest one is `exit`.');
  const check = new Check(insns, options.xlated === true);
  const second = new Set<number>();
  for (let i = 0; i < insns.length; i++) {
    const op = check.opcode(i);
    check.registers(i, op);
    check.reserved(i, op);
    if (op.kind === 'ld_imm64') {
      check.secondSlot(i);
      second.add(++i);
    }
  }
  check.functions(second, options.functions ?? []);
}

/** Registers a program may name: r0 to r9 and the frame pointer r10. */
const FRAME_POINTER = 10;

class Check {
  constructor(
    private readonly insns: readonly BpfInsn[],
    private readonly xlated: boolean,
  ) {}

  private at(slot: number): BpfInsn {
    return this.insns[slot] ?? { code: 0, dst: 0, src: 0, off: 0, imm: 0 };
  }

  private refuse(
    code: 'opcode' | 'reserved' | 'register' | 'jump' | 'end',
    slot: number,
    why: string,
  ): never {
    const text = printInsn(this.insns, slot);
    throw new EngineError(`bpf/${code}`, `Instruction ${slot} (${text}): ${why}.`, { insn: slot, text });
  }

  opcode(slot: number): BpfOp {
    const { code, imm } = this.at(slot);
    const op = opOf(code);
    const hex = code.toString(16).padStart(2, '0');
    if (!op) this.refuse('opcode', slot, `unknown opcode ${hex}`);
    if (op.isa === 'kernel' && !this.xlated) {
      this.refuse(
        'opcode',
        slot,
        `opcode ${hex} is made by the kernel itself and may not stand in a program`,
      );
    }
    if (op.kind === 'atomic') {
      const atomic = atomicOp(imm);
      if (!atomic) this.refuse('opcode', slot, `there is no atomic operation 0x${(imm >>> 0).toString(16)}`);
      const any = atomic.op === 'load_acquire' || atomic.op === 'store_release';
      if (op.size < 4 && !any) this.refuse('opcode', slot, 'atomic operations work on 32 or 64 bits');
    }
    return op;
  }

  registers(slot: number, op: BpfOp): void {
    const { dst, src } = this.at(slot);
    const last = this.xlated ? 11 : FRAME_POINTER;
    // The source field of these holds a pseudo kind, checked with the reserved fields.
    const sourceIsRegister = op.kind !== 'ld_imm64' && op.kind !== 'call';
    if (dst > last) this.refuse('register', slot, `there is no register r${dst}; programs have r0 to r10`);
    if (src > last && sourceIsRegister)
      this.refuse('register', slot, `there is no register r${src}; programs have r0 to r10`);
    if (writtenRegister(op, this.at(slot)) === FRAME_POINTER) {
      this.refuse('register', slot, 'the frame pointer r10 is read only');
    }
  }

  reserved(slot: number, op: BpfOp): void {
    const insn = this.at(slot);
    const used = usedFields(op);
    for (const field of ['dst', 'src', 'off', 'imm'] as const) {
      if (insn[field] !== 0 && !used.includes(field)) {
        this.refuse(
          'reserved',
          slot,
          `the field ${field} is reserved here and must be 0, it is ${insn[field]}`,
        );
      }
    }
    const wrong = this.wrongValue(op, insn);
    if (wrong !== undefined) this.refuse('reserved', slot, wrong);
  }

  /** Fields that are in use but hold a value without a meaning. */
  private wrongValue(op: BpfOp, insn: BpfInsn): string | undefined {
    switch (op.kind) {
      case 'alu':
        return wrongAlu(op, insn, this.xlated);
      case 'end':
        return [16, 32, 64].includes(insn.imm)
          ? undefined
          : `byte swaps work on 16, 32 or 64 bits, not ${insn.imm}`;
      case 'ld_imm64':
        return insn.src <= BPF_PSEUDO.MAP_IDX_VALUE ? undefined : `unknown kind ${insn.src} of ld_imm64`;
      case 'call':
        if (insn.src > BPF_PSEUDO.KFUNC_CALL) return `unknown kind ${insn.src} of call`;
        return insn.off !== 0 && insn.src !== BPF_PSEUDO.KFUNC_CALL && !this.xlated
          ? 'off is reserved in this call and must be 0'
          : undefined;
      default:
        return undefined;
    }
  }

  secondSlot(slot: number): void {
    const next = this.insns[slot + 1];
    if (!next)
      this.refuse('end', slot, 'a 64-bit load takes two slots, but the program ends after the first');
    if (next.code !== 0 || next.dst !== 0 || next.src !== 0 || next.off !== 0) {
      this.refuse(
        'reserved',
        slot,
        'the second slot of a 64-bit load may hold nothing but the upper half of the number',
      );
    }
  }

  functions(second: ReadonlySet<number>, extra: readonly number[]): void {
    const end = this.insns.length;
    for (let i = 0; i < end; i++) {
      const target = second.has(i) ? undefined : calledSlot(this.insns, i);
      if (target !== undefined) this.target(i, target, 0, end, second, 'the program');
    }
    const starts = [...new Set([...functionStarts(this.insns), ...extra])].sort((a, b) => a - b);
    starts.forEach((start, n) => this.functionBody(start, starts[n + 1] ?? end, second));
  }

  private functionBody(start: number, end: number, second: ReadonlySet<number>): void {
    for (let i = start; i < end; i++) {
      if (second.has(i)) continue;
      const distance = jumpDistance(opOf(this.at(i).code), this.at(i));
      if (distance !== undefined) this.target(i, i + 1 + distance, start, end, second, 'its function');
    }
    const last = second.has(end - 1) ? end - 2 : end - 1;
    const op = opOf(this.at(last).code);
    const ends = op?.kind === 'exit' || op?.kind === 'goto' || (this.xlated && op?.kind === 'tail_call');
    if (!ends)
      this.refuse(
        'end',
        last,
        'the last instruction of a function must be exit or goto; this one runs on past its end',
      );
  }

  private target(
    slot: number,
    to: number,
    start: number,
    end: number,
    second: ReadonlySet<number>,
    where: string,
  ): void {
    if (to < start || to >= end) {
      this.refuse('jump', slot, `it goes to slot ${to}, out of ${where} (slots ${start} to ${end - 1})`);
    }
    if (second.has(to)) this.refuse('jump', slot, `it goes to slot ${to}, the middle of a 64-bit load`);
  }
}

/** Slots that a jump goes from the next one; undefined for what does not jump. */
function jumpDistance(op: BpfOp | undefined, insn: BpfInsn): number | undefined {
  if (op?.kind === 'goto') return op.long ? insn.imm : insn.off;
  return op?.kind === 'branch' || op?.kind === 'may_goto' ? insn.off : undefined;
}

/** The register whose value the instruction defines (calls aside, which define r0 and clobber r1 to r5). */
function writtenRegister(op: BpfOp, insn: BpfInsn): number | undefined {
  switch (op.kind) {
    case 'alu':
    case 'end':
    case 'ld_imm64':
    case 'ldx':
      return insn.dst;
    case 'ld_abs':
    case 'ld_ind':
      return 0;
    case 'atomic': {
      const atomic = atomicOp(insn.imm);
      if (atomic?.op === 'load_acquire') return insn.dst;
      if (atomic?.op === 'cmpxchg') return 0;
      return atomic?.fetch === true ? insn.src : undefined;
    }
    default:
      return undefined;
  }
}

type Field = 'dst' | 'src' | 'off' | 'imm';

/** The fields that have a meaning in the instruction; the kernel wants the others 0. */
function usedFields(op: BpfOp): readonly Field[] {
  switch (op.kind) {
    case 'alu': {
      if (op.op === 'neg') return ['dst'];
      const variant: readonly Field[] = op.op === 'div' || op.op === 'mod' || isMove(op) ? ['off'] : [];
      if (op.source === 'imm') return ['dst', 'imm', ...variant];
      // imm names the address spaces of a cast, and marks the verifier's zero extension
      return isMove(op) ? ['dst', 'src', 'off', 'imm'] : ['dst', 'src', ...variant];
    }
    case 'end':
      return ['dst', 'imm'];
    case 'ld_imm64':
      return ['dst', 'src', 'imm'];
    case 'ld_abs':
      return ['imm'];
    case 'ld_ind':
      return ['src', 'imm'];
    case 'ldx':
      return ['dst', 'src', 'off'];
    case 'st':
      return ['dst', 'off', 'imm'];
    case 'stx':
      return ['dst', 'src', 'off'];
    case 'atomic':
      return ['dst', 'src', 'off', 'imm'];
    case 'goto':
      return op.long ? ['imm'] : ['off'];
    case 'may_goto':
      return ['off'];
    case 'branch':
      return op.source === 'imm' ? ['dst', 'off', 'imm'] : ['dst', 'src', 'off'];
    case 'call':
      return ['src', 'imm', 'off'];
    case 'nospec':
    case 'tail_call':
    case 'exit':
      return [];
    default:
      return unreachable(op);
  }
}

const isMove = (op: BpfOp & { kind: 'alu' }): boolean => op.op === 'mov' && op.source === 'reg';

function wrongAlu(op: BpfOp & { kind: 'alu' }, insn: BpfInsn, xlated: boolean): string | undefined {
  if (isMove(op)) return wrongMove(op.width, insn, xlated);
  if ((op.op === 'div' || op.op === 'mod') && insn.off !== 0 && insn.off !== 1) {
    return `off chooses unsigned (0) or signed (1) here, it is ${insn.off}`;
  }
  if (op.source !== 'imm') return undefined;
  if ((op.op === 'div' || op.op === 'mod') && insn.imm === 0) return 'division by zero';
  const shift = op.op === 'lsh' || op.op === 'rsh' || op.op === 'arsh';
  if (shift && (insn.imm < 0 || insn.imm >= op.width)) {
    return `a shift by ${insn.imm} is out of range (0 to ${op.width - 1})`;
  }
  return undefined;
}

function wrongMove(width: 32 | 64, insn: BpfInsn, xlated: boolean): string | undefined {
  const cast = width === 64 && insn.off === 1;
  if (cast)
    return insn.imm === 1 || insn.imm === 0x10000
      ? undefined
      : 'an address space cast goes between spaces 0 and 1';
  const marked = xlated && width === 32 && insn.imm === 1;
  if (insn.imm !== 0 && !marked) return `the field imm is reserved here and must be 0, it is ${insn.imm}`;
  const extensions = width === 64 ? [0, 8, 16, 32] : [0, 8, 16];
  const perCpu = xlated && width === 64 && insn.off === -1;
  if (!extensions.includes(insn.off) && !perCpu) {
    return `off chooses a sign extension from 8, 16 or 32 bits here, it is ${insn.off}`;
  }
  return undefined;
}
