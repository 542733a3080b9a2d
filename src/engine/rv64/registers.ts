import { EngineError } from '../base/errors';

/** ABI names of x0 … x31 (psABI, "Integer Register Convention"); x8 is printed `s0`, as disassemblers do. */
export const ABI_NAMES: readonly string[] = [
  ...['zero', 'ra', 'sp', 'gp', 'tp', 't0', 't1', 't2', 's0', 's1'],
  ...['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7'],
  ...['s2', 's3', 's4', 's5', 's6', 's7', 's8', 's9', 's10', 's11'],
  ...['t3', 't4', 't5', 't6'],
];

/** Register numbers by ABI name; `fp` is another name of s0. */
export const REG = {
  ...{ zero: 0, ra: 1, sp: 2, gp: 3, tp: 4, t0: 5, t1: 6, t2: 7, s0: 8, fp: 8, s1: 9 },
  ...{ a0: 10, a1: 11, a2: 12, a3: 13, a4: 14, a5: 15, a6: 16, a7: 17 },
  ...{ s2: 18, s3: 19, s4: 20, s5: 21, s6: 22, s7: 23, s8: 24, s9: 25, s10: 26, s11: 27 },
  ...{ t3: 28, t4: 29, t5: 30, t6: 31 },
} as const;

const NUMBERS: ReadonlyMap<string, number> = new Map([
  ...ABI_NAMES.map((name, number): [string, number] => [name, number]),
  ...ABI_NAMES.map((_, number): [string, number] => [`x${number}`, number]),
  ['fp', REG.fp],
]);

/** The number of a register by its ABI name, `fp`, or x0 … x31; undefined when `name` is none of these. */
export function findRegister(name: string): number | undefined {
  return NUMBERS.get(name);
}

/**
 * As {@link findRegister}, for names that must be right.
 * @throws EngineError `rv64/register`
 */
export function registerNumber(name: string): number {
  const number = NUMBERS.get(name);
  if (number === undefined) {
    throw new EngineError(
      'rv64/register',
      `'${name}' is no integer register; write x0 to x31 or an ABI name such as a0, s1, fp.`,
      { name },
    );
  }
  return number;
}

/** The ABI name of register `number` (0 … 31). @throws EngineError `rv64/register` for other numbers. */
export function registerName(number: number): string {
  const name = ABI_NAMES[number];
  if (name === undefined) {
    throw new EngineError(
      'rv64/register',
      `There is no integer register ${number}; registers are numbered 0 to 31.`,
      { number },
    );
  }
  return name;
}
