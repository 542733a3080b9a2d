import { EngineError } from '../base/errors';
import { explainRule } from '../jit/rules';
import type { BpfObject } from '../loader/object';
import { parseProfile } from '../jit/profile';
import { buildWorld } from './build';
import { CodeIndex, type CodeFunction } from './code-index';
import { compareListings, sizeOf } from './compare-listing';
import type { CompiledFunction } from './compare-native';
import type { CompareMark, CompareRowView, CompareSideView, CompareView, ProfileView } from './views';

/** A program as one profile's kernel compiles it, or why it does not. */
export interface Compiled {
  readonly profile: ProfileView;
  /** Functions of the program and what is around them; absent when there is a problem. */
  readonly code?: Omit<CompiledFunction, 'code'>;
  /** A sentence: the profile does not exist, verifier or JIT refuse the program. */
  readonly problem?: string;
}

/**
 * Compiles a program without running it. A refusal is part of the result.
 * @throws EngineError `debugger/no-program` for a program that the object does not hold
 */
export function compile(object: BpfObject, program: string, words: ProfileView): Compiled {
  requireProgram(object, program);
  try {
    const { kernel } = buildWorld({ object, profile: parseProfile(words), program, timing: 'none' });
    return { profile: words, code: { kernel, index: new CodeIndex(kernel) } };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { profile: words, problem: error.message };
  }
}

function requireProgram(object: BpfObject, program: string): void {
  if (object.programs.some(({ name }) => name === program)) return;
  const names = object.programs.map(({ name }) => name).join(', ');
  throw new EngineError(
    'debugger/no-program',
    `${object.name} holds no program '${program}'; it holds ${names === '' ? 'none' : names}.`,
    { program },
  );
}

/** A function and the two profiles under which it is compiled. */
export interface CompareRequest {
  readonly object: BpfObject;
  readonly program: string;
  /** Key or name of a function of the program; main unless told. */
  readonly function?: string;
  readonly left: Compiled;
  readonly right: Compiled;
}

/**
 * One function of a program under two profiles, side by side. Where one profile refuses the program, its side says why
 * and there are no rows.
 * @throws EngineError `debugger/function` for a function that neither profile's code has
 */
export function compareView({ object, program, left, right, ...request }: CompareRequest): CompareView {
  const functions = [...new Set([...namesOf(left, program), ...namesOf(right, program)])];
  const wanted = request.function ?? functions[0] ?? `${program}/${program}`;
  const key = functions.find((known) => known === wanted || known === `${program}/${wanted}`);
  if (key === undefined && functions.length > 0) {
    throw new EngineError(
      'debugger/function',
      `${program} has no function '${wanted}'; it has ${functions.join(', ')}.`,
      { function: wanted },
    );
  }
  const shown = key ?? wanted;
  const sides = [left, right].map((side) => ({ side, code: codeOf(side, program, shown) }));
  const [l, r] = sides.map(({ code }) => code);
  const rows = l && r ? compareListings(l, r) : [];
  const marks: Record<CompareMark, number> = { same: 0, placement: 0, changed: 0, left: 0, right: 0 };
  for (const row of rows) for (const { mark } of row.lines) marks[mark]++;
  return {
    object: object.name,
    program,
    function: shown,
    functions,
    left: sideView(left, shown, l),
    right: sideView(right, shown, r),
    rows,
    rules: rulesIn(rows),
    differing: rows.filter((row) => !row.same).length,
    marks,
  };
}

function rulesIn(rows: readonly CompareRowView[]): Record<string, string> {
  const rules: Record<string, string> = {};
  for (const { lines } of rows) {
    for (const { left, right } of lines) {
      for (const rule of [left?.rule, right?.rule]) {
        if (rule !== undefined && rule !== '') rules[rule] ??= explainRule(rule);
      }
    }
  }
  return rules;
}

function functionsOf({ code }: Compiled, program: string): readonly CodeFunction[] {
  return code?.index.functions.filter((fn) => fn.program.name === program) ?? [];
}

const namesOf = (side: Compiled, program: string): string[] =>
  functionsOf(side, program).map(({ key }) => key);

function codeOf(side: Compiled, program: string, key: string): CompiledFunction | undefined {
  const code = functionsOf(side, program).find((fn) => fn.key === key);
  return code && side.code && { ...side.code, code };
}

function sideView(side: Compiled, key: string, compiled: CompiledFunction | undefined): CompareSideView {
  const { profile } = side;
  if (!compiled) {
    return {
      profile,
      problem: side.problem ?? `This profile's code has no function ${key}: nothing calls it.`,
    };
  }
  const { code } = compiled;
  const { fn } = code;
  return {
    profile,
    function: code.view(),
    total: sizeOf(compiled),
    parts: {
      prologue: fn.prologueLen,
      body: fn.epilogueOffset - fn.prologueLen,
      epilogue: fn.finalLen - fn.epilogueOffset,
    },
    frameBytes: fn.frame.size,
  };
}
