import { imm64 } from '../../bpf/bytes';
import { BPF_ALU_OP, BPF_CLASS, BPF_JMP_OP, BPF_MODE, BPF_SRC, LD_IMM64, type BpfInsn } from '../../bpf/insn';
import { s64, u64 } from '../../base/u64';
import type { XlateMap } from '../types';
import type { VerifierEnv } from './env';
import { successors } from './live-registers';
import { accessSize, definedRegister, insnClass, insnMode, insnOp, isAtomic } from './liveness';

/** What the data flow knows of a register: a number, a place in a map's values, a map, a function, nothing. Not there yet: undefined. */
type Known =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'number'; readonly value: bigint }
  | { readonly kind: 'map-value'; readonly map: XlateMap; readonly offset: bigint }
  | { readonly kind: 'map'; readonly map: XlateMap }
  | { readonly kind: 'func'; readonly func: number };

/** By register. */
export type KnownRegisters = readonly (Known | undefined)[];

type State = (Known | undefined)[];

const UNKNOWN: Known = { kind: 'unknown' };
/** r0 to r10 */
const REGISTERS = 11;
const CALLER_SAVED = 6;
/** BPF_F_RDONLY_PROG */
const MAP_READ_ONLY = 1 << 7;

const number = (value: bigint): Known => ({ kind: 'number', value: u64(value) });

const same = (a: Known, b: Known): boolean =>
  a.kind === b.kind &&
  (a.kind !== 'number' || b.kind !== 'number' || a.value === b.value) &&
  (a.kind !== 'map-value' || b.kind !== 'map-value' || (a.map === b.map && a.offset === b.offset)) &&
  (a.kind !== 'map' || b.kind !== 'map' || a.map === b.map) &&
  (a.kind !== 'func' || b.kind !== 'func' || a.func === b.func);

/** The kernel keeps constants of 32 bits only. */
export function smallConstant(known: Known | undefined): bigint | undefined {
  return known?.kind === 'number' && known.value <= 0xffff_ffffn ? known.value : undefined;
}

/** What registers hold before each instruction on every way to it, by iteration to a fixed point (bpf_compute_const_regs). */
export function constantRegisters(env: VerifierEnv): KnownRegisters[] {
  const before: State[] = env.insns.map(() => Array<Known | undefined>(REGISTERS).fill(undefined));
  for (const { start } of env.input.functions) before[start]!.fill(UNKNOWN);
  for (let changed = true; changed;) {
    changed = false;
    for (let at = 0; at < env.insns.length; at++) {
      const state = before[at]!;
      if (state[0] === undefined || env.insnAt(at).code === 0) continue;
      const after = state.slice();
      transfer(env, at, after);
      for (const next of successors(env, at)) changed = merge(before[next], after) || changed;
    }
  }
  return before;
}

function merge(into: State | undefined, from: State): boolean {
  if (!into) return false;
  let changed = false;
  for (let reg = 0; reg < REGISTERS; reg++) {
    const old = into[reg];
    const now = from[reg] ?? UNKNOWN;
    if (old === undefined) into[reg] = now;
    else if (old.kind !== 'unknown' && !same(old, now)) into[reg] = UNKNOWN;
    else continue;
    changed = true;
  }
  return changed;
}

function transfer(env: VerifierEnv, at: number, state: State): void {
  const insn = env.insnAt(at);
  switch (insnClass(insn.code)) {
    case BPF_CLASS.ALU:
    case BPF_CLASS.ALU64:
      state[insn.dst] = alu(insn, state);
      return;
    case BPF_CLASS.LD:
      if (insn.code === LD_IMM64) state[insn.dst] = constant(env, at, insn);
      else clobber(state);
      return;
    case BPF_CLASS.LDX:
      state[insn.dst] = load(insn, state[insn.src] ?? UNKNOWN);
      return;
    case BPF_CLASS.STX: {
      const loads = isAtomic(insn) ? definedRegister(insn) : undefined;
      if (loads !== undefined) state[loads] = UNKNOWN;
      return;
    }
    case BPF_CLASS.JMP:
      if (insnOp(insn.code) === BPF_JMP_OP.CALL) clobber(state);
      return;
    default:
      return;
  }
}

function clobber(state: State): void {
  for (let reg = 0; reg < CALLER_SAVED; reg++) state[reg] = UNKNOWN;
}

function constant(env: VerifierEnv, at: number, insn: BpfInsn): Known {
  const meaning = env.input.constants.get(at);
  if (meaning?.kind === 'map-value')
    return { kind: 'map-value', map: meaning.map, offset: BigInt(meaning.offset) };
  if (meaning?.kind === 'map') return { kind: 'map', map: meaning.map };
  if (meaning?.kind === 'func') return { kind: 'func', func: meaning.func };
  return insn.src === 0 || meaning?.kind === 'number' ? number(imm64(env.insns, at)) : UNKNOWN;
}

function load(insn: BpfInsn, source: Known): Known {
  if (source.kind !== 'map-value') return UNKNOWN;
  const { map } = source;
  const size = accessSize(insn.code);
  const offset = Number(BigInt.asIntN(32, source.offset)) + insn.off;
  if (!map.frozen || (map.flags & MAP_READ_ONLY) === 0 || offset < 0 || offset + size > map.frozen.length)
    return UNKNOWN;
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(map.frozen[offset + i]!);
  return number(insnMode(insn.code) === BPF_MODE.MEMSX ? BigInt.asIntN(size * 8, value) : value);
}

function alu(insn: BpfInsn, state: State): Known {
  const result = wideAlu(insn, state[insn.dst] ?? UNKNOWN, state[insn.src] ?? UNKNOWN);
  if (insnClass(insn.code) === BPF_CLASS.ALU64) return result;
  return result.kind === 'number' ? number(result.value & 0xffff_ffffn) : UNKNOWN;
}

/** Only moves, sums and masks are followed. */
function wideAlu(insn: BpfInsn, dst: Known, src: Known): Known {
  const fromRegister = (insn.code & BPF_SRC.X) !== 0;
  switch (insnOp(insn.code)) {
    case BPF_ALU_OP.MOV:
      return fromRegister ? moved(insn, src) : number(BigInt(insn.imm));
    case BPF_ALU_OP.ADD:
      return fromRegister ? UNKNOWN : shifted(dst, BigInt(insn.imm));
    case BPF_ALU_OP.SUB:
      return fromRegister ? UNKNOWN : shifted(dst, -BigInt(insn.imm));
    case BPF_ALU_OP.AND:
      return masked(dst, fromRegister ? src : number(BigInt(insn.imm)));
    default:
      return UNKNOWN;
  }
}

function moved(insn: BpfInsn, src: Known): Known {
  if (insn.off === 0) return src;
  const extension = insn.off === 8 || insn.off === 16 || insn.off === 32;
  return src.kind === 'number' && extension ? number(BigInt.asIntN(insn.off, src.value)) : UNKNOWN;
}

function shifted(value: Known, by: bigint): Known {
  if (value.kind === 'number') return number(value.value + by);
  return value.kind === 'map-value' ? { ...value, offset: s64(value.offset + by) } : UNKNOWN;
}

function masked(a: Known, b: Known): Known {
  const isZero = (known: Known): boolean => known.kind === 'number' && known.value === 0n;
  if (isZero(a) || isZero(b)) return number(0n);
  return a.kind === 'number' && b.kind === 'number' ? number(a.value & b.value) : UNKNOWN;
}
