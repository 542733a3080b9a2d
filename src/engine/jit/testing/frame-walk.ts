import { decode, type DecodedInsn } from '../../rv64/decode';
import { unwindRowAt } from '../unwind';
import type { UnwindRow } from '../types';

/**
 * Walks the emitted code symbolically — which register holds which of the caller's values, where sp and fp stand, what lies
 * in the frame — and holds the unwind rows against what it finds at every instruction. It knows the instructions, not how
 * prologues are made.
 */

/** A value as the walk knows it: what a register held for the caller, or an address relative to the caller's sp (the CFA). */
type Value =
  { readonly kind: 'caller'; readonly register: number } | { readonly kind: 'cfa'; readonly offset: number };

interface State {
  readonly registers: ReadonlyMap<number, Value>;
  /** By CFA-relative byte offset. */
  readonly memory: ReadonlyMap<number, Value>;
}

const SP = 2;
const T1 = 6;
/** Registers whose values the caller relies on, and those it returns by. */
const FOLLOWED = [1, 5, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27];
const CLOBBERED_BY_CALL = [1, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31];

export interface Walked {
  /** What is wrong, one line each; empty when the rows agree with the code. */
  readonly problems: readonly string[];
  /** Byte offsets of the instructions that were reached. */
  readonly reached: ReadonlySet<number>;
}

/**
 * @param code the bytes that were emitted
 * @param entries byte offsets at which the code is entered as a function is
 * @param returns numbers of the registers it may return by: followed like callee-saved ones
 */
export function walkFrame(
  code: Uint8Array,
  entries: readonly number[],
  rows: readonly UnwindRow[],
  returns: readonly number[],
): Walked {
  const problems: string[] = [];
  const states = new Map<number, State>();
  const work = [...entries];
  for (const entry of entries) states.set(entry, entryState());
  for (let at = work.pop(); at !== undefined; at = work.pop()) {
    const state = states.get(at)!;
    const insn = fetch(code, at);
    if (!insn) {
      problems.push(`no instruction at ${at}`);
      continue;
    }
    problems.push(...checkRow(unwindRowAt(rows, at), state, at, returns));
    const after = step(state, insn);
    for (const next of successors(code, at, insn)) {
      // Records with jumps that no verifier saw may lead out of the code.
      if (next >= code.length || states.has(next)) continue;
      states.set(next, after);
      work.push(next);
    }
  }
  return { problems, reached: new Set(states.keys()) };
}

function entryState(): State {
  const registers = new Map<number, Value>(
    FOLLOWED.map((register) => [register, { kind: 'caller', register }]),
  );
  registers.set(SP, { kind: 'cfa', offset: 0 });
  return { registers, memory: new Map() };
}

function fetch(code: Uint8Array, at: number): DecodedInsn | undefined {
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  if (at + 2 > code.length) return undefined;
  return decode(at + 4 <= code.length ? view.getUint32(at, true) : view.getUint16(at, true));
}

function checkRow(
  row: UnwindRow | undefined,
  state: State,
  at: number,
  returns: readonly number[],
): string[] {
  if (!row) return [`${at}: no row`];
  const problems: string[] = [];
  const base = state.registers.get(row.cfa.register);
  if (base?.kind !== 'cfa' || base.offset + row.cfa.offset !== 0) {
    problems.push(`${at}: CFA is not x${row.cfa.register} + ${row.cfa.offset}, but it is ${show(base)}`);
  }
  for (const register of FOLLOWED) {
    if (!returns.includes(register) && (register === 1 || register === 5)) continue;
    const slot = row.saved.get(register);
    const found = slot === undefined ? state.registers.get(register) : state.memory.get(slot);
    if (found?.kind !== 'caller' || found.register !== register) {
      const place = slot === undefined ? `x${register}` : `CFA ${slot}`;
      problems.push(`${at}: the caller's x${register} should be in ${place}, where ${show(found)} is`);
    }
  }
  return problems;
}

const show = (value: Value | undefined): string =>
  value === undefined
    ? 'nothing known'
    : value.kind === 'cfa'
      ? `CFA ${value.offset}`
      : `the caller's x${value.register}`;

function step(state: State, insn: DecodedInsn): State {
  const registers = new Map(state.registers);
  const memory = new Map(state.memory);
  const { base, rd, rs1, rs2, imm } = insn;
  const address = state.registers.get(rs1);
  const value = state.registers.get(rs2);
  switch (base.mnemonic) {
    case 'sd':
      if (address?.kind === 'cfa') {
        if (value) memory.set(address.offset + imm, value);
        else memory.delete(address.offset + imm);
      }
      return { registers, memory };
    case 'jal':
    case 'jalr':
      if (rd !== 0) for (const register of CLOBBERED_BY_CALL) registers.delete(register);
      return { registers, memory };
    default:
  }
  let result: Value | undefined;
  if (base.mnemonic === 'ld' && address?.kind === 'cfa') result = memory.get(address.offset + imm);
  if (base.mnemonic === 'addi' && address?.kind === 'cfa')
    result = { kind: 'cfa', offset: address.offset + imm };
  if (base.mnemonic === 'addi' && address?.kind === 'caller' && imm === 0) result = address;
  if (base.format !== 'store' && base.format !== 'branch' && rd !== 0) {
    if (result) registers.set(rd, result);
    else registers.delete(rd);
  }
  return { registers, memory };
}

/** Where control goes on inside this code; calls return, jumps through registers leave unless an auipc made the target. */
function successors(code: Uint8Array, at: number, insn: DecodedInsn): number[] {
  const next = at + insn.size;
  switch (insn.base.format) {
    case 'branch':
      return [next, at + insn.imm];
    case 'j':
      return insn.rd === 0 ? [at + insn.imm] : [next];
    case 'jalr': {
      if (insn.rd !== 0) return [next];
      const before = insn.rs1 === T1 ? fetch(code, at - 4) : undefined;
      if (before?.base.mnemonic !== 'auipc') return [];
      return [at - 4 + ((before.imm << 12) | 0) + insn.imm];
    }
    default:
      return [next];
  }
}
