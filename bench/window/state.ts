import type { DebuggerPage } from '../../e2e/pages/debugger';

const MASK = (1n << 64n) - 1n;
const FACTOR = 6364136223846793005n;
/** Instructions that the native code executes for one call of `each`, and before its loop. */
const CALL = 20_030;
const BEFORE_LOOP = 16;
/** The loop of `each`, by offset from its entry: ten instructions, in the order in which they run. */
const LOOP = new Map(
  [
    [0x2e, 'mul a0, a0, a3'],
    [0x32, 'mv a4, a2'],
    [0x34, 'add a4, a4, a0'],
    [0x36, 'mv a0, a4'],
    [0x38, 'srli a0, a0, 29'],
    [0x3a, 'xor a0, a0, a4'],
    [0x3c, 'addi a2, a2, 1'],
    [0x3e, 'li t1, 2000'],
    [0x42, 'beq a2, t1'],
    [0x46, 'j 0x'],
  ].map(([offset, text], step) => [offset as number, { text: text as string, step }]),
);

const mixed = (value: bigint, i: number): bigint => {
  const sum = (value * FACTOR + BigInt(i)) & MASK;
  return sum ^ (sum >> 29n);
};

/** What a0 holds in a call of `each` in the given iteration, before the given instruction of the loop. */
function expectedA0(index: number, iteration: number, step: number): bigint {
  let value = BigInt(index);
  for (let i = 0; i < iteration; i++) value = mixed(value, i);
  const product = (value * FACTOR) & MASK;
  const sum = (product + BigInt(iteration)) & MASK;
  return [value, product, product, product, sum, sum >> 29n][step] ?? mixed(value, iteration);
}

/** A pause, as the window shows it and as it must be. */
export interface Checked {
  readonly instructions: number;
  readonly where: string;
  /** Instructions before the first call of `each`: the same at every pause of one run. */
  readonly base: number;
  readonly wrong: readonly string[];
}

/**
 * Checks what the window shows of a pause in the loop of `each` against arithmetic of its own: the current row, a0 and a2
 * for the call (s2) and iteration, the count of instructions, and the call stack. Nothing for a pause elsewhere, which is
 * rare.
 */
export async function checkPause(debug: DebuggerPage): Promise<Checked | undefined> {
  const symbol = (await debug.session.locator('code.symbol').textContent()) ?? '';
  const offset = Number(/_each\+(0x[0-9a-f]+)$/.exec(symbol)?.[1] ?? NaN);
  const at = LOOP.get(offset);
  if (!at) return undefined;
  const instructions = await debug.instructions();
  const [a0, a2, s2] = [await debug.value('a0'), await debug.value('a2'), await debug.value('s2')];
  const index = Number(s2);
  const iteration = Number(a2) - (at.step > 6 ? 1 : 0);
  const expected = `0x${expectedA0(index, iteration, at.step).toString(16)}`;
  const row = await debug.native.currentText();
  const stack = (await debug.stack()).join(' < ');
  const base = instructions - index * CALL - BEFORE_LOOP - iteration * LOOP.size - at.step;
  const wrong = [
    ...(a0 === expected ? [] : [`a0 is ${a0}, not ${expected}`]),
    ...(row.includes(at.text) ? [] : [`the current row is '${row}', not '${at.text}'`]),
    ...(/^each < endless < bpf_test_run < /.test(stack) ? [] : [`the call stack is ${stack}`]),
  ];
  return {
    instructions,
    where: `${symbol}, call ${index}, iteration ${iteration}, a0 ${a0}; ${stack}`,
    base,
    wrong,
  };
}
