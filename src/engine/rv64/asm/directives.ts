import { failAt } from './error';
import { escapeCode, parseExpression } from './expression';
import type { DataItem } from './items';
import type { Program } from './program';
import type { Statement } from './statements';

/** Settings that directives change while the source is read. */
export interface Settings {
  compress: boolean;
}

type Directive = (statement: Statement, program: Program, settings: Settings) => void;

function numberAt(
  { name, operands, line }: Statement,
  index: number,
  program: Program,
  min: bigint,
  max: bigint,
): number {
  const text = operands[index];
  if (text === undefined || text === '') failAt(line, `${name} needs a number`);
  const value = program.constant(parseExpression(text, line), line);
  if (value < min || value > max) failAt(line, `${name} takes a number from ${min} to ${max}, not ${value}`);
  return Number(value);
}

const data =
  (width: DataItem['width']): Directive =>
  ({ operands, line }, program) => {
    const values = operands.map((operand) => parseExpression(operand, line));
    program.add({ kind: 'data', line, size: width * values.length, width, values });
  };

function unquote(text: string, line: number): Uint8Array {
  if (!/^".*"$/s.test(text)) failAt(line, `'${text}' is no text in double quotes`);
  const plain = text
    .slice(1, -1)
    .replace(/\\(.)/gs, (_, character: string) => String.fromCodePoint(escapeCode(character)));
  return new TextEncoder().encode(plain);
}

const text =
  (terminator: readonly number[]): Directive =>
  ({ operands, line }, program) => {
    for (const operand of operands) {
      const bytes = new Uint8Array([...unquote(operand, line), ...terminator]);
      program.add({ kind: 'bytes', line, size: bytes.length, bytes });
    }
  };

const zero: Directive = (statement, program) => {
  const size = numberAt(statement, 0, program, 0n, 1n << 26n);
  const fill = statement.operands.length > 1 ? numberAt(statement, 1, program, -128n, 255n) : 0;
  program.add({ kind: 'bytes', line: statement.line, size, bytes: new Uint8Array(size).fill(fill) });
};

const align =
  (unit: 'power' | 'bytes'): Directive =>
  (statement, program) => {
    const { line, name } = statement;
    const given = numberAt(
      statement,
      0,
      program,
      unit === 'power' ? 0n : 1n,
      unit === 'power' ? 20n : 1n << 20n,
    );
    const alignment = unit === 'power' ? 2 ** given : given;
    if (!Number.isInteger(Math.log2(alignment)))
      failAt(line, `${name} takes a power of two, not ${alignment}`);
    const fill = statement.operands.length > 1 ? numberAt(statement, 1, program, -128n, 255n) : undefined;
    program.add({ kind: 'align', line, size: 0, alignment, ...(fill === undefined ? {} : { fill }) });
  };

const set: Directive = ({ name, operands, line }, program) => {
  const [symbol = '', value = ''] = operands;
  if (operands.length !== 2 || !/^[A-Za-z_.$][\w.$]*$/.test(symbol))
    failAt(line, `${name} takes a name and a value`);
  program.defineValue(symbol, parseExpression(value, line), line);
};

const option: Directive = ({ operands, line }, _program, settings) => {
  switch (operands[0]) {
    case 'rvc':
      settings.compress = true;
      return;
    case 'norvc':
      settings.compress = false;
      return;
    case 'relax':
    case 'norelax':
      // Nothing is ever relaxed.
      return;
    default:
      failAt(line, `.option ${operands.join(', ')} is not supported; rvc, norvc, relax and norelax are`);
  }
};

const section: Directive = ({ name, operands, line }) => {
  if (!/^\.text\b/.test(operands[0] ?? ''))
    failAt(line, `${name} ${operands.join(', ')}: there is only the section .text`);
};

/** Says something to linkers and debuggers that does not matter here. */
const nothing: Directive = () => undefined;

const DIRECTIVES: Readonly<Record<string, Directive>> = {
  '.byte': data(1),
  '.half': data(2),
  '.short': data(2),
  '.2byte': data(2),
  '.word': data(4),
  '.long': data(4),
  '.4byte': data(4),
  '.dword': data(8),
  '.quad': data(8),
  '.8byte': data(8),
  '.ascii': text([]),
  '.asciz': text([0]),
  '.string': text([0]),
  '.zero': zero,
  '.skip': zero,
  '.space': zero,
  '.align': align('power'),
  '.p2align': align('power'),
  '.balign': align('bytes'),
  '.set': set,
  '.equ': set,
  '.option': option,
  '.section': section,
  '.text': nothing,
  '.globl': nothing,
  '.global': nothing,
  '.type': nothing,
  '.size': nothing,
  '.file': nothing,
};

/**
 * Obeys a directive.
 * @throws EngineError `rv64/assemble` for one that is unknown or wrongly used.
 */
export function applyDirective(statement: Statement, program: Program, settings: Settings): void {
  const { name, line } = statement;
  const directive = Object.hasOwn(DIRECTIVES, name) ? DIRECTIVES[name] : undefined;
  if (directive === undefined) failAt(line, `the directive ${name} is not supported`);
  directive(statement, program, settings);
}
