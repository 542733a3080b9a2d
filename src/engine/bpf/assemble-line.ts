import { EngineError } from '../base/errors';
import { LD_IMM64, type BpfInsn } from './insn';
import type { BpfAccessSize } from './table';

/** What has been assembled so far. */
export interface State {
  readonly insns: BpfInsn[];
  readonly maps: { insn: number; map: string; offset?: number }[];
  readonly labels: Map<string, number>;
  readonly lines: number[];
  readonly fixups: Fixup[];
}

/** A place that waits for a label: `off` or `imm` of the slot becomes the distance from the next slot. */
export interface Fixup {
  readonly insn: number;
  readonly field: 'off' | 'imm';
  readonly label: string;
  readonly line: number;
}

/** A line of source while it is being assembled. */
export interface Line {
  readonly state: State;
  readonly text: string;
  readonly number: number;
}

/** @throws EngineError `bpf/assemble` with the line. */
export function fail(line: { readonly number: number; readonly text: string }, why: string): never {
  throw new EngineError('bpf/assemble', `Line ${line.number}: ${why}: '${line.text}'.`, {
    line: line.number,
  });
}

/** Appends one slot. */
export function emit(line: Line, insn: Partial<BpfInsn> & { readonly code: number }): true {
  line.state.insns.push({
    code: insn.code,
    dst: insn.dst ?? 0,
    src: insn.src ?? 0,
    off: insn.off ?? 0,
    imm: insn.imm ?? 0,
  });
  line.state.lines.push(line.number);
  return true;
}

/** Appends the two slots of a ld_imm64. */
export function emit64(line: Line, dst: number, src: number, low: number, high: number): true {
  emit(line, { code: LD_IMM64, dst, src, imm: low });
  return emit(line, { code: 0, imm: high });
}

/** Bytes of a type such as `u16` by its bits. */
export function bytes(bits: string | undefined): BpfAccessSize {
  return bits === '8' ? 1 : bits === '16' ? 2 : bits === '32' ? 4 : 8;
}

/** A register number. */
export function reg(line: Line, text: string | undefined): number {
  const n = Number(text);
  // r11 (the verifier's auxiliary register) and up exist in no program, but what the printer prints must assemble
  if (!(n <= 15)) fail(line, `there is no register ${String(text)}`);
  return n;
}

/** A decimal or hexadecimal number with an optional sign; nothing counts as 0. */
export function bigNumber(text = ''): bigint {
  const bare = text.replace(/[+\s]/g, '');
  if (bare === '') return 0n;
  return bare.startsWith('-') ? -BigInt(bare.slice(1)) : BigInt(bare);
}

/** A 32-bit immediate: signed, or unsigned as comparisons print theirs. */
export function s32(line: Line, text: string | undefined): number {
  const value = bigNumber(text);
  if (value < -(1n << 31n) || value >= 1n << 32n) fail(line, `${String(text)} does not fit in 32 bits`);
  return Number(BigInt.asIntN(32, value));
}

/** A 16-bit offset. */
export function s16(line: Line, text: string | undefined): number {
  const value = bigNumber(text);
  if (value < -0x8000n || value > 0x7fffn)
    fail(line, `${String(text)} does not fit in the 16 bits of an offset`);
  return Number(value);
}

/** The number of an address space. */
export function space(line: Line, text: string | undefined): number {
  const value = bigNumber(text);
  if (value < 0n || value > 0xffffn) fail(line, `${String(text)} is no address space`);
  return Number(value);
}
