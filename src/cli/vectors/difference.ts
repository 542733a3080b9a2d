import { bytesToHex } from '../../engine/base/hex';
import { hex64 } from '../../engine/base/hex';
import type { BpfInsn } from '../../engine/bpf/insn';
import { printInsn } from '../../engine/bpf/print';
import { slotAt, why } from '../../engine/jit/lookup';
import type { JitFunction } from '../../engine/jit/types';
import { disassemble, type DisassembledInsn } from '../../engine/rv64/disassemble';

/** What is known of code whose bytes differ, to say where. */
export interface CodeContext {
  readonly address: bigint;
  readonly fn?: JitFunction;
  /** The instructions of the function itself. */
  readonly insns?: readonly BpfInsn[];
  /** Names the rule that made a byte of trampoline code. */
  readonly rule?: (byteOffset: number) => string | undefined;
}

/**
 * The first native instruction in which two images differ, both sides disassembled, with the BPF instruction it belongs to.
 * @returns undefined if they are equal
 */
export function imageDifference(
  ours: Uint8Array,
  recorded: Uint8Array,
  context: CodeContext,
): string | undefined {
  const length = Math.min(ours.length, recorded.length);
  let at = 0;
  while (at < length && ours[at] === recorded[at]) at++;
  if (at === length && ours.length === recorded.length) return undefined;

  const mine = insnAt(ours, context.address, at);
  const theirs = insnAt(recorded, context.address, at);
  const lines = [
    `first difference at byte ${at} of ${ours.length} (recorded: ${recorded.length})`,
    `ours:     ${describe(mine)}`,
    `recorded: ${describe(theirs)}`,
  ];
  const offset = mine ? Number(mine.address - context.address) : at;
  const place = describePlace(offset, context);
  if (place !== undefined) lines.push(place);
  return lines.join('\n');
}

/** The instruction that covers byte `at`, reading from the start so that the boundaries are right. */
function insnAt(code: Uint8Array, address: bigint, at: number): DisassembledInsn | undefined {
  for (const insn of disassemble(code, address)) {
    if (Number(insn.address - address) + insn.size > at) return insn;
  }
  return undefined;
}

function describe(insn: DisassembledInsn | undefined): string {
  if (!insn) return '(the code has ended)';
  const bytes = Uint8Array.from({ length: insn.size }, (_, i) => insn.word >>> (8 * i));
  return `${hex64(insn.address)}  ${bytesToHex(bytes).padEnd(8)}  ${insn.text}`;
}

function describePlace(offset: number, { fn, insns, rule }: CodeContext): string | undefined {
  const made = fn ? why(fn, offset)?.rule : rule?.(offset);
  const by = made === undefined ? '' : `, made by ${made}`;
  if (!fn || !insns) return made === undefined ? undefined : `in code made by ${made}`;
  const slot = slotAt(fn, offset);
  if (slot === undefined) return `in the ${offset < fn.prologueLen ? 'prologue' : 'epilogue'}${by}`;
  return `in BPF instruction ${fn.start + slot}: ${printInsn(insns, slot)}${by}`;
}

/** The first entry in which two lists differ. @returns undefined if they are equal */
export function listDifference(
  what: string,
  ours: readonly (number | string)[],
  recorded: readonly (number | string)[],
): string | undefined {
  const length = Math.max(ours.length, recorded.length);
  for (let i = 0; i < length; i++) {
    if (ours[i] !== recorded[i]) {
      return `${what}[${i}]: ours ${ours[i] ?? '(none)'}, recorded ${recorded[i] ?? '(none)'}`;
    }
  }
  return undefined;
}

/** @returns undefined if the two are the same */
export function valueDifference(
  what: string,
  ours: number | string | bigint | undefined,
  recorded: number | string | bigint | undefined,
): string | undefined {
  if (ours === recorded) return undefined;
  const show = (value: typeof ours): string => (typeof value === 'bigint' ? hex64(value) : String(value));
  return `${what}: ours ${show(ours)}, recorded ${show(recorded)}`;
}
