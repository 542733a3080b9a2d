import { bytesToHex, hex64 } from '../base/hex';
import { isSecondSlot } from '../bpf/print';
import { explainRule } from '../jit/rules';
import type { Kernel } from '../kernel/types';
import type { LineInfo } from '../loader/object';
import type { DecodedInsn } from '../rv64/decode';
import { print } from '../rv64/print';
import { explainRewrite } from '../xlate/rules';
import type { CodeFunction } from './code-index';
import { bpfText, symbolText } from './locations';
import type { BpfRow, NativeRow, SourceRow } from './views';

/** Full source texts by the name that line information uses, or by its last part. */
export type Sources = Readonly<Record<string, string>>;

/** The rows of a function's three columns. */
export interface Listing {
  readonly source: readonly SourceRow[];
  readonly bpf: readonly BpfRow[];
  readonly native: readonly NativeRow[];
}

/** The three columns of a function; `sources` has the texts of the files that lines come from. */
export function listing(kernel: Kernel, code: CodeFunction, sources: Sources): Listing {
  const source = sourceRows(code, sources);
  return { source, bpf: bpfRows(kernel, code, source), native: nativeRows(kernel, code) };
}

/**
 * The lines of every file that the function's code comes from: the whole file where its text is at hand and agrees with
 * the lines recorded in the object, else the recorded lines alone.
 */
function sourceRows(code: CodeFunction, sources: Sources): SourceRow[] {
  const rows: SourceRow[] = [];
  const used = usedLines(code);
  for (const [file, ofFunction] of used) {
    const recorded = recordedLines(code.program.source.lines, file);
    const full = fullText(file, recorded, sources);
    const lines: readonly (readonly [number, string])[] = full
      ? full.map((text, i) => [i + 1, text] as const)
      : [...recorded].sort(([a], [b]) => a - b);
    for (const [line, text] of lines) rows.push({ file, line, text, code: ofFunction.has(line) });
  }
  return rows;
}

/** Files that the function's code comes from, in code order, with the lines that some instruction comes from. */
function usedLines({ map }: CodeFunction): Map<string, Set<number>> {
  const used = new Map<string, Set<number>>();
  for (let slot = 0; slot < map.slotCount; slot++) {
    const line = map.lineAt(slot);
    if (!line) continue;
    const lines = used.get(line.file);
    if (lines) lines.add(line.line);
    else used.set(line.file, new Set([line.line]));
  }
  return used;
}

function recordedLines(lines: readonly LineInfo[], file: string): Map<number, string> {
  return new Map(lines.filter((line) => line.file === file).map((line) => [line.line, line.text]));
}

function fullText(
  file: string,
  recorded: ReadonlyMap<number, string>,
  sources: Sources,
): string[] | undefined {
  const text = sources[file] ?? sources[file.slice(file.lastIndexOf('/') + 1)];
  if (text === undefined) return undefined;
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  for (const [line, expected] of recorded) {
    if (lines[line - 1]?.trim() !== expected.trim()) return undefined;
  }
  return lines;
}

function bpfRows(kernel: Kernel, code: CodeFunction, source: readonly SourceRow[]): BpfRow[] {
  const { map, fn, program } = code;
  const { insns, origin } = program.xlated;
  const rowOf = new Map(source.map((row, i) => [`${row.line}:${row.file}`, i]));
  return Array.from({ length: map.slotCount }, (_, slot): BpfRow => {
    const global = fn.start + slot;
    const line = map.lineAt(slot);
    const rule = origin[global]?.rule;
    return {
      slot,
      text: bpfText(kernel, code, slot),
      source: (line && rowOf.get(`${line.line}:${line.file}`)) ?? -1,
      ...(rule !== undefined && { rule: `${rule}: ${explainRewrite(rule)}` }),
      continuation: isSecondSlot(insns, global),
    };
  });
}

function nativeRows(kernel: Kernel, code: CodeFunction): NativeRow[] {
  const { map, fn } = code;
  const symbol = (address: bigint) => (kernel.symbolAt(address) ? symbolText(kernel, address) : undefined);
  let previous: DecodedInsn | undefined;
  return map.native.map(({ offset, insn, size }): NativeRow => {
    const address = fn.base + BigInt(offset);
    const bytes = bytesToHex(fn.image.subarray(offset, offset + size));
    const text = insn ? print(insn, address, { symbol, previous }).text : dataText(bytes);
    previous = insn;
    const piece = map.pieceAt(offset);
    return {
      address: hex64(address),
      offset,
      bytes,
      text,
      slot: piece?.insn ?? -1,
      why: piece ? `${piece.rule}: ${explainRule(piece.rule)}` : 'No record says why this is here.',
      part: offset < fn.prologueLen ? 'prologue' : offset < fn.epilogueOffset ? 'body' : 'epilogue',
    };
  });
}

/** Little-endian bytes as an assembler directive. */
function dataText(bytes: string): string {
  const value = bytes.match(/../g)?.reverse().join('') ?? '';
  return `.${bytes.length / 2}byte 0x${value}`;
}
