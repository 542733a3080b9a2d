import { s64 } from '../../base/u64';
import { findRegister } from '../registers';
import { failAt } from './error';

/** What an expression may refer to while the program is being laid out. */
export interface Scope {
  /** Address of the statement. */
  readonly here: bigint;
  /** The value of a symbol or of a numeric label such as `1b`; undefined when there is none. */
  readonly lookup: (name: string) => bigint | undefined;
}

/** A value that may depend on the layout. */
export type Value = (scope: Scope) => bigint;

const TOKEN =
  /\s*(0[xX][0-9a-fA-F]+|0[bB][01]+(?![0-9fb])|\d+[fb](?![\w])|\d+|'(?:[^\\]|\\.)'?|[A-Za-z_.$][\w.$]*|<<|>>|[-+*/%()&|^~!])/y;

const ESCAPES: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, 0: 0, b: 8, f: 12 };

/** The code of `\n`, `\\` and the like, given the character after the backslash. */
export function escapeCode(character: string): number {
  return ESCAPES[character] ?? character.codePointAt(0) ?? 0;
}

function tokenize(text: string, line: number): readonly string[] {
  const tokens: string[] = [];
  const trimmed = text.trim();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < trimmed.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(trimmed);
    if (!match) failAt(line, `'${trimmed.slice(at)}' is not understood in the expression '${trimmed}'`);
    tokens.push(match[1]!);
  }
  return tokens;
}

/** Binary operators, tightest first; the order is GNU as's, where shifts bind as multiplication does. */
const LEVELS: readonly Readonly<Record<string, (a: bigint, b: bigint) => bigint>>[] = [
  {
    '*': (a, b) => a * b,
    '/': (a, b) => a / b,
    '%': (a, b) => a % b,
    '<<': (a, b) => a << (b & 63n),
    '>>': (a, b) => BigInt.asUintN(64, a) >> (b & 63n),
  },
  { '|': (a, b) => a | b, '&': (a, b) => a & b, '^': (a, b) => a ^ b },
  { '+': (a, b) => a + b, '-': (a, b) => a - b },
];

class Parser {
  private next = 0;

  constructor(
    private readonly tokens: readonly string[],
    private readonly text: string,
    private readonly line: number,
  ) {}

  whole(): Value {
    const value = this.binary(LEVELS.length - 1);
    if (this.next < this.tokens.length) this.fail();
    return value;
  }

  private fail(): never {
    failAt(this.line, `'${this.text}' is no expression`);
  }

  private binary(level: number): Value {
    if (level < 0) return this.unary();
    let left = this.binary(level - 1);
    for (;;) {
      const operator = this.tokens[this.next];
      const apply = operator === undefined ? undefined : LEVELS[level]![operator];
      if (apply === undefined) return left;
      this.next++;
      const [a, b, { line }] = [left, this.binary(level - 1), this];
      const divides = operator === '/' || operator === '%';
      left = (scope) => {
        const divisor = b(scope);
        if (divides && divisor === 0n) failAt(line, 'the expression divides by zero');
        return s64(apply(a(scope), divisor));
      };
    }
  }

  private unary(): Value {
    const token = this.tokens[this.next++];
    if (token === undefined) this.fail();
    switch (token) {
      case '-': {
        const operand = this.unary();
        return (scope) => s64(-operand(scope));
      }
      case '+':
        return this.unary();
      case '~': {
        const operand = this.unary();
        return (scope) => ~operand(scope);
      }
      case '!': {
        const operand = this.unary();
        return (scope) => (operand(scope) === 0n ? 1n : 0n);
      }
      case '(': {
        const inner = this.binary(LEVELS.length - 1);
        if (this.tokens[this.next++] !== ')') this.fail();
        return inner;
      }
      default:
        return this.primary(token);
    }
  }

  private primary(token: string): Value {
    const { line } = this;
    if (token === '.') return ({ here }) => here;
    if (token.startsWith("'")) {
      const code = token[1] === '\\' ? escapeCode(token[2] ?? '') : token.codePointAt(1);
      return () => BigInt(code ?? 0);
    }
    if (/^\d+[fb]$/.test(token) || /^[A-Za-z_.$]/.test(token)) {
      if (findRegister(token) !== undefined) failAt(line, `'${token}' is a register where a value belongs`);
      return ({ lookup }) => lookup(token) ?? failAt(line, `'${token}' is not defined`);
    }
    if (!/^\d/.test(token)) this.fail();
    // A leading 0 means octal, as in C.
    const number = /^0[0-7]+$/.test(token) ? BigInt('0o' + token.slice(1)) : this.decimal(token);
    return () => s64(number);
  }

  private decimal(token: string): bigint {
    if (/^0\d/.test(token))
      failAt(this.line, `'${token}' begins with 0, so it is octal, but has a digit above 7`);
    return BigInt(token);
  }
}

/**
 * Parses an expression over integers, symbols, `.` and numeric labels. Values are signed 64-bit.
 * @throws EngineError `rv64/assemble`, now or when the value is asked for.
 */
export function parseExpression(text: string, line: number): Value {
  return new Parser(tokenize(text, line), text, line).whole();
}
