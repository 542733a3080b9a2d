import { failAt } from './error';

/** One statement of the source, still as text. */
export interface Statement {
  /** From 1 */
  readonly line: number;
  /** Names of the labels in front of it, numeric ones included. */
  readonly labels: readonly string[];
  /** Mnemonic or directive in lower case; empty for a line with labels only. */
  readonly name: string;
  /** Split at the commas outside of parentheses and quotes. */
  readonly operands: readonly string[];
}

/** Length of a quoted text or character constant at the start of `text`, quotes included. */
function quotedLength(text: string, line: number): number {
  const match = text.startsWith('"') ? /^"(?:[^"\\]|\\.)*"/.exec(text) : /^'(?:[^\\]|\\.)'?/.exec(text);
  if (!match) failAt(line, 'a quoted text does not end');
  return match[0].length;
}

interface Piece {
  readonly line: number;
  readonly text: string;
}

/** Statements without comments, told apart by line ends and semicolons. */
function pieces(source: string): readonly Piece[] {
  const result: Piece[] = [];
  let line = 1;
  let text = '';
  const end = (): void => {
    if (text.trim() !== '') result.push({ line, text: text.trim() });
    text = '';
  };
  for (let at = 0; at < source.length;) {
    const rest = source[at]!;
    const two = source.slice(at, at + 2);
    if (rest === '\n') {
      end();
      line++;
      at++;
    } else if (rest === ';') {
      end();
      at++;
    } else if (rest === '#' || two === '//') {
      const newline = source.indexOf('\n', at);
      at = newline < 0 ? source.length : newline;
    } else if (two === '/*') {
      const close = source.indexOf('*/', at + 2);
      if (close < 0) failAt(line, 'a comment that begins with /* does not end');
      end();
      line += source.slice(at, close).split('\n').length - 1;
      at = close + 2;
    } else if (rest === '"' || rest === "'") {
      const newline = source.indexOf('\n', at);
      const length = quotedLength(source.slice(at, newline < 0 ? source.length : newline), line);
      text += source.slice(at, at + length);
      at += length;
    } else {
      text += rest;
      at++;
    }
  }
  end();
  return result;
}

function splitOperands(text: string, line: number): readonly string[] {
  const operands: string[] = [];
  let operand = '';
  let depth = 0;
  for (let at = 0; at < text.length;) {
    const character = text[at]!;
    let length = 1;
    if (character === '"' || character === "'") length = quotedLength(text.slice(at), line);
    else if (character === '(') depth++;
    else if (character === ')') depth--;
    if (character === ',' && depth === 0) {
      operands.push(operand.trim());
      operand = '';
    } else operand += text.slice(at, at + length);
    at += length;
  }
  if (operand.trim() !== '' || operands.length > 0) operands.push(operand.trim());
  return operands;
}

const LABEL = /^([A-Za-z_.$][\w.$]*|\d+)\s*:\s*/;
const ASSIGNMENT = /^([A-Za-z_.$][\w.$]*)\s*=\s*([^=].*)$/;

/**
 * Takes the source apart. Comments are `#`, `//` and C comments; `;` separates statements; `name = value` is `.set`.
 * @throws EngineError `rv64/assemble`
 */
export function parseStatements(source: string): readonly Statement[] {
  return pieces(source).map(({ line, text }) => {
    const labels: string[] = [];
    let rest = text;
    for (let match = LABEL.exec(rest); match; match = LABEL.exec(rest)) {
      labels.push(match[1]!);
      rest = rest.slice(match[0].length);
    }
    const assignment = ASSIGNMENT.exec(rest);
    if (assignment) return { line, labels, name: '.set', operands: [assignment[1]!, assignment[2]!] };
    const space = rest.search(/\s/);
    const name = space < 0 ? rest : rest.slice(0, space);
    const operands = space < 0 ? [] : splitOperands(rest.slice(space), line);
    return { line, labels, name: name.toLowerCase(), operands };
  });
}
