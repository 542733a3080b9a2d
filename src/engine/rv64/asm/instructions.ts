import { ALIASES, type Alias } from '../aliases';
import type { Operands } from '../encode';
import { findSpec, specOf, type BaseMnemonic, type InsnSpec } from '../table';
import { failAt } from './error';
import { parseExpression } from './expression';
import type { InsnItem } from './items';
import { loadImmediate } from './li';
import { parseOperands, type ParsedOperands } from './operands';
import type { Program } from './program';
import type { Statement } from './statements';
import { findRegister, REG } from '../registers';

const ALIASES_BY_NAME = new Map<string, Alias[]>();
for (const alias of ALIASES)
  ALIASES_BY_NAME.set(alias.name, [...(ALIASES_BY_NAME.get(alias.name) ?? []), alias]);

/** One way in which a mnemonic may be written. */
interface Form {
  readonly spec: InsnSpec;
  readonly syntax: string;
  readonly fixed: Operands;
}

function formsOf(name: string): readonly Form[] {
  const forms: Form[] = [];
  const spec = findSpec(name);
  if (spec !== undefined) {
    forms.push({ spec, syntax: spec.shape.syntax, fixed: {} });
    // c.nop may carry a hint, but need not.
    if (spec.format === 'cnop') forms.push({ spec, syntax: '', fixed: { imm: 0 } });
  }
  for (const { base, syntax, fixed } of ALIASES_BY_NAME.get(name) ?? []) {
    const sets =
      base === 'fence' && fixed.imm !== undefined ? { pred: fixed.imm >> 4, succ: fixed.imm & 15 } : {};
    forms.push({ spec: specOf(base), syntax, fixed: { ...fixed, ...sets } });
  }
  return forms;
}

/** Acquire and release stand behind the name of an atomic. */
function splitOrdering(name: string): { readonly plain: string; readonly aq: boolean; readonly rl: boolean } {
  const match = /^(.*)\.(aq|rl|aqrl)$/.exec(name);
  const plain = match?.[1] ?? name;
  if (match === null || findSpec(plain)?.shape.ordering !== true)
    return { plain: name, aq: false, rl: false };
  return { plain, aq: match[2] !== 'rl', rl: match[2] !== 'aq' };
}

type Pseudo = (statement: Statement, program: Program, compress: boolean) => readonly InsnItem[];

function insnItem(
  line: number,
  spec: InsnSpec,
  parsed: ParsedOperands,
  fixed: Operands,
  compress: boolean,
): InsnItem {
  // What the linker or a later label decides through %hi and the like keeps its full length.
  const may = compress && spec.size === 4 && parsed.relocation === undefined;
  return { kind: 'insn', line, size: may || spec.size === 2 ? 2 : 4, spec, parsed, fixed, compress: may };
}

function registerAt(statement: Statement, index: number): number {
  const text = statement.operands[index] ?? '';
  return (
    findRegister(text.toLowerCase()) ?? failAt(statement.line, `${statement.name}: '${text}' is no register`)
  );
}

function expectOperands({ name, operands, line }: Statement, ...counts: readonly number[]): void {
  if (!counts.includes(operands.length)) {
    failAt(line, `${name} takes ${counts.join(' or ')} operands, but ${operands.length} are written`);
  }
}

/** auipc and a second instruction that adds the low twelve bits of the distance to a symbol. */
function pcRelative(
  line: number,
  symbol: string,
  high: number,
  second: { readonly mnemonic: BaseMnemonic; readonly rd: number },
): readonly InsnItem[] {
  const target = parseExpression(symbol, line);
  return [
    insnItem(
      line,
      specOf('auipc'),
      { registers: { rd: high }, relocation: { kind: 'pcrel_hi', value: target } },
      {},
      false,
    ),
    insnItem(
      line,
      specOf(second.mnemonic),
      {
        registers: { rd: second.rd, rs1: high },
        // The auipc lies right before.
        relocation: { kind: 'pcrel_lo', value: ({ here }) => here - 4n },
      },
      {},
      false,
    ),
  ];
}

const loadAddress: Pseudo = (statement) => {
  expectOperands(statement, 2);
  const rd = registerAt(statement, 0);
  return pcRelative(statement.line, statement.operands[1]!, rd, { mnemonic: 'addi', rd });
};

/** Pseudo-instructions that are more than another spelling of one instruction. */
const PSEUDOS: Readonly<Record<string, Pseudo>> = {
  li: (statement, program, compress) => {
    expectOperands(statement, 2);
    const { line, operands } = statement;
    const value = program.constant(parseExpression(operands[1]!, line), line);
    return loadImmediate(registerAt(statement, 0), value).map((insn) =>
      insnItem(line, specOf(insn.mnemonic), { registers: {} }, insn.operands, compress),
    );
  },
  la: loadAddress,
  lla: loadAddress,
  call: (statement) => {
    expectOperands(statement, 1, 2);
    const link = statement.operands.length === 2 ? registerAt(statement, 0) : REG.ra;
    return pcRelative(statement.line, statement.operands.at(-1)!, link, { mnemonic: 'jalr', rd: link });
  },
  tail: (statement) => {
    expectOperands(statement, 1);
    return pcRelative(statement.line, statement.operands[0]!, REG.t1, { mnemonic: 'jalr', rd: REG.zero });
  },
};

/**
 * The items of a statement that is an instruction or pseudo-instruction.
 * @throws EngineError `rv64/assemble` for an unknown mnemonic or operands that fit none of its forms.
 */
export function instructionItems(
  statement: Statement,
  program: Program,
  compress: boolean,
): readonly InsnItem[] {
  const { name, operands, line } = statement;
  const pseudo = Object.hasOwn(PSEUDOS, name) ? PSEUDOS[name] : undefined;
  if (pseudo) return pseudo(statement, program, compress);
  const { plain, aq, rl } = splitOrdering(name);
  const forms = formsOf(plain);
  if (forms.length === 0) failAt(line, `'${name}' is no instruction or directive that this assembler knows`);
  let problem = '';
  for (const { spec, syntax, fixed } of forms) {
    const parsed = parseOperands(syntax, operands, line);
    if (typeof parsed !== 'string') return [insnItem(line, spec, parsed, { ...fixed, aq, rl }, compress)];
    problem ||= parsed;
  }
  const ways = forms.map(({ syntax }) => `'${`${name} ${syntax}`.trim()}'`).join(' or ');
  failAt(line, `${name}: ${problem}; it is written ${ways}`);
}
