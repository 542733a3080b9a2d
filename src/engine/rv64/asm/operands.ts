import { hex64 } from '../../base/hex';
import { s64 } from '../../base/u64';
import { findCsr } from '../csrs';
import { findRegister } from '../registers';
import { failAt } from './error';
import { parseExpression, type Scope, type Value } from './expression';

/** Reads the low or high part of an address: `%hi(x)` and `%lo(x)` of x itself, the `pcrel` ones relative to pc. */
export interface Relocation {
  readonly kind: 'hi' | 'lo' | 'pcrel_hi' | 'pcrel_lo';
  /** For pcrel_lo: the label of the auipc. */
  readonly value: Value;
}

/** The operands of one instruction as written: registers known, values perhaps depending on the layout. */
export interface ParsedOperands {
  readonly registers: { [register in 'rd' | 'rs1' | 'rs2']?: number };
  csr?: Value;
  imm?: Value;
  /** The imm is an address that the instruction reaches relative to itself. */
  target?: true;
  relocation?: Relocation;
  /** Ordering sets of a fence. */
  pred?: number;
  succ?: number;
}

/** Why operands do not fit a syntax, part of a sentence. */
export type Mismatch = string;

const RELOCATION = /^%(hi|lo|pcrel_hi|pcrel_lo)\s*\((.*)\)$/;
const MEMORY = /^(.*)\(\s*([\w]+)\s*\)$/s;
const SET_BITS: Readonly<Record<string, number>> = { i: 8, o: 4, r: 2, w: 1 };

function orderingSet(text: string): number | undefined {
  if (text === '0') return 0;
  let set = 0;
  for (const letter of text) {
    const bit = SET_BITS[letter];
    if (bit === undefined || (set & bit) !== 0) return undefined;
    set |= bit;
  }
  return text === '' ? undefined : set;
}

function parseImmediate(text: string, line: number, into: ParsedOperands): Mismatch | undefined {
  if (text === '') return 'a value is missing';
  if (findRegister(text) !== undefined) return `'${text}' is a register where a value belongs`;
  if (text.startsWith('"')) return `${text} is a text where a value belongs`;
  const match = RELOCATION.exec(text);
  if (match) {
    into.relocation = { kind: match[1] as Relocation['kind'], value: parseExpression(match[2]!, line) };
  } else into.imm = parseExpression(text, line);
  return undefined;
}

function parseRegister(name: 'rd' | 'rs1' | 'rs2', text: string, into: ParsedOperands): Mismatch | undefined {
  const number = findRegister(text.toLowerCase());
  if (number === undefined) return text === '' ? 'a register is missing' : `'${text}' is no register`;
  into.registers[name] = number;
  return undefined;
}

/** `imm(rs1)`, `(rs1)`, `imm(sp)`; the offset may be left out. */
function parseMemory(
  element: string,
  text: string,
  line: number,
  into: ParsedOperands,
): Mismatch | undefined {
  const [, offsetName = '', base = ''] = MEMORY.exec(element)!;
  const match = MEMORY.exec(text);
  if (!match) return `'${text}' is not written as ${element}`;
  const [, offset = '', register = ''] = match;
  const problem =
    base === 'rs1'
      ? parseRegister('rs1', register, into)
      : findRegister(register) === findRegister(base)
        ? undefined
        : `the base register must be ${base}`;
  if (problem !== undefined) return problem;
  if (offsetName === '') return /^0?$/.test(offset.trim()) ? undefined : 'this address takes no offset';
  return parseImmediate(offset.trim() === '' ? '0' : offset.trim(), line, into);
}

function parseElement(
  element: string,
  text: string,
  line: number,
  into: ParsedOperands,
): Mismatch | undefined {
  if (element.endsWith(')')) return parseMemory(element, text, line, into);
  switch (element) {
    case 'rd':
    case 'rs1':
    case 'rs2':
      return parseRegister(element, text, into);
    case 'csr': {
      const number = findCsr(text.toLowerCase());
      if (number === undefined && (text === '' || findRegister(text) !== undefined))
        return `'${text}' is no CSR`;
      into.csr = number === undefined ? parseExpression(text, line) : () => BigInt(number);
      return undefined;
    }
    case 'target':
      into.target = true;
      return parseImmediate(text, line, into);
    case 'imm':
    case 'hex':
      return parseImmediate(text, line, into);
    case 'pred':
    case 'succ': {
      const set = orderingSet(text.toLowerCase());
      if (set === undefined) return `'${text}' is no set of the letters i, o, r, w`;
      into[element] = set;
      return undefined;
    }
    default:
      return findRegister(text) === findRegister(element)
        ? undefined
        : `${element} must be written where '${text}' stands`;
  }
}

/** Reads operands by a syntax such as `rd, imm(rs1)` (FormatShape.syntax); a sentence if they do not fit it. */
export function parseOperands(
  syntax: string,
  texts: readonly string[],
  line: number,
): ParsedOperands | Mismatch {
  const elements = syntax === '' ? [] : syntax.split(', ');
  if (elements.length !== texts.length) {
    return elements.length === 0
      ? 'it takes no operands'
      : `${elements.length} operands are needed, ${texts.length} are given`;
  }
  const result: ParsedOperands = { registers: {} };
  for (const [index, element] of elements.entries()) {
    const problem = parseElement(element, texts[index]!, line, result);
    if (problem !== undefined) return problem;
  }
  return result;
}

/**
 * Evaluates a relocation function; `pcrelTarget` gives what the auipc at an address reaches for.
 * @throws EngineError `rv64/assemble` when 32 bits do not reach that far.
 */
export function relocate(
  { kind, value }: Relocation,
  scope: Scope,
  line: number,
  pcrelTarget: (auipc: bigint) => bigint | undefined,
): bigint {
  const operand = value(scope);
  let offset = operand;
  if (kind === 'pcrel_hi') offset = s64(operand - scope.here);
  if (kind === 'pcrel_lo') {
    const target = pcrelTarget(operand);
    if (target === undefined)
      failAt(line, 'the operand of %pcrel_lo must be the label of an auipc with %pcrel_hi');
    offset = s64(target - operand);
  }
  if (offset < -0x80000800n || offset >= 0x7ffff800n) {
    failAt(line, `${hex64(operand)} is too far away or too large for 32 bits`);
  }
  return kind === 'hi' || kind === 'pcrel_hi'
    ? BigInt.asUintN(20, (offset + 0x800n) >> 12n)
    : BigInt.asIntN(12, offset);
}
