import { EngineError } from '../base/errors';
import { applyDirective, type Settings } from './asm/directives';
import { failAt } from './asm/error';
import { instructionItems } from './asm/instructions';
import type { AlignItem, DataItem, InsnItem } from './asm/items';
import { relocate } from './asm/operands';
import { Program } from './asm/program';
import { parseStatements } from './asm/statements';
import { compress } from './compress';
import { enc, encode, type Operands } from './encode';

/** Where the code lies and how it is encoded. */
export interface AssembleOptions {
  /** Address of the first byte; default 0. */
  readonly base?: bigint;
  /** Choose compressed instructions where they fit; default false. `.option rvc` and `norvc` change it. */
  readonly compress?: boolean;
  /** Values of symbols that the source does not define. */
  readonly symbols?: Readonly<Record<string, bigint>>;
}

/** Code with the addresses of its labels. */
export interface Assembled {
  readonly bytes: Uint8Array;
  /** Addresses of the labels; numeric labels are left out. */
  readonly labels: Map<string, bigint>;
}

function read(source: string, program: Program, settings: Settings): void {
  for (const statement of parseStatements(source)) {
    for (const label of statement.labels) program.defineLabel(label, statement.line);
    if (statement.name === '') continue;
    if (statement.name.startsWith('.')) applyDirective(statement, program, settings);
    else for (const item of instructionItems(statement, program, settings.compress)) program.add(item);
  }
}

/** What an auipc reaches for, by its address: the other half of %pcrel_lo. */
function pcrelTargets(program: Program): ReadonlyMap<bigint, bigint> {
  const targets = new Map<bigint, bigint>();
  for (const [index, item] of program.items.entries()) {
    if (item.kind === 'insn' && item.parsed.relocation?.kind === 'pcrel_hi') {
      targets.set(program.addressOf(index), item.parsed.relocation.value(program.scopeOf(index)));
    }
  }
  return targets;
}

/** The operands of an instruction in the current layout. */
function resolve(
  item: InsnItem,
  index: number,
  program: Program,
  targets: ReadonlyMap<bigint, bigint>,
): Operands {
  const { registers, csr, imm, target, relocation, pred, succ } = item.parsed;
  const scope = program.scopeOf(index);
  const values: { imm?: number; csr?: number; pred?: number; succ?: number } = {};
  if (relocation) values.imm = Number(relocate(relocation, scope, item.line, (auipc) => targets.get(auipc)));
  else if (imm) values.imm = Number(BigInt.asIntN(64, imm(scope) - (target ? scope.here : 0n)));
  if (csr) values.csr = Number(csr(scope));
  if (pred !== undefined) values.pred = pred;
  if (succ !== undefined) values.succ = succ;
  return { ...item.fixed, ...registers, ...values };
}

function compressedWord({ spec }: InsnItem, operands: Operands): number | undefined {
  const { rd = 0, rs1 = 0, rs2 = 0, imm = 0 } = operands;
  return spec.expansion === undefined ? compress(spec.mnemonic, { rd, rs1, rs2, imm }) : undefined;
}

/**
 * Lays the program out. Every instruction that may be compressed is taken to be so at first; those that do not fit grow
 * and never shrink again, which ends when no distance changes any more.
 */
function layOut(program: Program): number {
  for (;;) {
    const length = program.place();
    const targets = pcrelTargets(program);
    let grown = false;
    for (const [index, item] of program.items.entries()) {
      if (item.kind !== 'insn' || !item.compress || item.size === 4) continue;
      if (compressedWord(item, resolve(item, index, program, targets)) !== undefined) continue;
      item.size = 4;
      grown = true;
    }
    if (!grown) return length;
  }
}

function insnWord(item: InsnItem, operands: Operands): number {
  const short = item.compress && item.size === 2 ? compressedWord(item, operands) : undefined;
  if (short !== undefined) return short;
  try {
    return encode(item.spec.mnemonic, operands);
  } catch (error) {
    if (error instanceof EngineError) failAt(item.line, error.message.replace(/\.$/, ''));
    throw error;
  }
}

function emitData(
  { width, values, line }: DataItem,
  program: Program,
  index: number,
  view: DataView,
  offset: number,
): void {
  const bits = 8 * width;
  values.forEach((value, position) => {
    const number = value(program.scopeOf(index));
    const low = BigInt.asUintN(bits, number);
    if (number !== low && number !== BigInt.asIntN(bits, number)) {
      failAt(line, `${number} does not fit into ${width} bytes`);
    }
    for (let byte = 0; byte < width; byte++) {
      view.setUint8(offset + position * width + byte, Number((low >> BigInt(8 * byte)) & 0xffn));
    }
  });
}

/** Zeroes up to an even address, then a c.nop if needed, then nops: what can be executed is. */
function emitPadding({ size, fill }: AlignItem, view: DataView, offset: number): void {
  for (let at = 0; at < size;) {
    const left = size - at;
    if (fill !== undefined || left % 2 === 1) {
      view.setUint8(offset + at, fill ?? 0);
      at += 1;
    } else if (left % 4 === 2) {
      view.setUint16(offset + at, enc.c_nop(), true);
      at += 2;
    } else {
      view.setUint32(offset + at, enc.addi(0, 0, 0), true);
      at += 4;
    }
  }
}

function emit(program: Program, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  const targets = pcrelTargets(program);
  let offset = 0;
  for (const [index, item] of program.items.entries()) {
    if (item.kind === 'insn') {
      const word = insnWord(item, resolve(item, index, program, targets));
      if (item.size === 2) view.setUint16(offset, word, true);
      else view.setUint32(offset, word, true);
    } else if (item.kind === 'data') emitData(item, program, index, view, offset);
    else if (item.kind === 'align') emitPadding(item, view, offset);
    else if (item.kind === 'bytes') bytes.set(item.bytes, offset);
    offset += item.size;
  }
  return bytes;
}

/**
 * Assembles RV64 source text into one section of bytes: all mnemonics of the table, the usual pseudo-instructions (`li` of
 * any 64-bit constant, `la`, `call`, `tail` among them), labels, numeric labels, `%hi` and its kind, and data directives,
 * in the syntax of GNU as.
 * @throws EngineError `rv64/assemble` that names the line.
 */
export function assemble(source: string, options: AssembleOptions = {}): Assembled {
  const program = new Program(options.base ?? 0n, new Map(Object.entries(options.symbols ?? {})));
  read(source, program, { compress: options.compress ?? false });
  const length = layOut(program);
  return { bytes: emit(program, length), labels: program.labels() };
}
