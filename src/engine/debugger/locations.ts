import { hex64 } from '../base/hex';
import { printInsn } from '../bpf/print';
import { helperName } from '../bpf/helpers';
import { BPF_PSEUDO, type BpfInsn } from '../bpf/insn';
import type { Kernel } from '../kernel/types';
import { print } from '../rv64/print';
import { callTarget } from './calls';
import type { CodeFunction, CodeIndex } from './code-index';
import type { LocationView } from './views';

/** `bpf_prog_<tag>_<name>+0x1c`, a kernel function's name, or the plain address where nothing is known. */
export function symbolText(kernel: Kernel, address: bigint): string {
  const symbol = kernel.symbolAt(address);
  if (!symbol) return hex64(address);
  return symbol.offset === 0 ? symbol.name : `${symbol.name}+0x${symbol.offset.toString(16)}`;
}

/**
 * A position at every level.
 * @param lookup offset (bytes) at which slot and line are looked up: for a caller an instruction inside its call
 */
export function locationView(
  kernel: Kernel,
  index: CodeIndex,
  pc: bigint,
  code: CodeFunction | undefined = index.at(pc),
  lookup: number | undefined = code?.offsetOf(pc),
): LocationView {
  const place = { pc: hex64(pc), symbol: symbolText(kernel, pc) };
  if (!code || lookup === undefined) return place;
  const slot = code.map.slotAt(lookup);
  const line = code.map.lineAtOffset(lookup);
  return {
    ...place,
    function: code.key,
    ...(slot >= 0 && { slot, bpfText: bpfText(kernel, code, slot) }),
    ...(line && { file: line.file, line: line.line, lineText: line.text }),
  };
}

/** The native instruction at `offset` (bytes) of a function's image, as LLVM and objdump print it, with names of symbols. */
export function nativeText(kernel: Kernel, code: CodeFunction, offset: number): string {
  const native = code.map.nativeAt(offset);
  if (!native?.insn) return '(no instruction)';
  const previous = code.map.nativeBefore(offset)?.insn;
  const symbol = (address: bigint) => (kernel.symbolAt(address) ? symbolText(kernel, address) : undefined);
  return print(native.insn, code.fn.base + BigInt(offset), { symbol, previous }).text;
}

/** The text of an xlated slot with the names of maps, helpers and functions. */
export function bpfText(kernel: Kernel, code: CodeFunction, slot: number): string {
  const { xlated } = code.program;
  return printInsn(xlated.insns, code.fn.start + slot, {
    note: (global) => xlated.notes.get(global),
    callName: (insn, global) => callName(kernel, code, insn, global),
  });
}

function callName(kernel: Kernel, code: CodeFunction, insn: BpfInsn, global: number): string | undefined {
  const { xlated } = code.program;
  if (insn.src === BPF_PSEUDO.CALL) {
    return xlated.functions.find((f) => f.start === global + 1 + insn.imm)?.name;
  }
  // Helpers that the JIT inlines keep their id; all others carry target − __bpf_call_base, as the native call shows.
  const target = callTarget(code, global - code.fn.start);
  const symbol = target === undefined ? undefined : kernel.symbolAt(target);
  if (symbol?.offset === 0) return symbol.name;
  return insn.src === 0 ? helperName(insn.imm) : undefined;
}
