import { EngineError } from '../../engine/base/errors';
import { bytesToHex } from '../../engine/base/hex';
import { runToEnd, type RunEnd } from '../../engine/kernel/execute';
import type { Kernel, TestRunInput, TestRunOutput } from '../../engine/kernel/types';
import type { Fields } from './fields';
import type { RecordCheck } from './report';

/** Most instructions of one run. */
const LIMIT = 100_000_000;

/** `run of main`, for messages. */
export const runWord = (step: Fields): string => `run of ${step.text('prog')}`;

type Outcome =
  | { readonly kind: 'output'; readonly output: TestRunOutput }
  | { readonly kind: 'errno'; readonly errno: number }
  | { readonly kind: 'stopped'; readonly message: string };

/** Plays a `run` step and compares retval, context, packet or errno with what is recorded. */
export function checkRunStep(check: RecordCheck, kernel: Kernel, step: Fields, what: string): void {
  check.count('runs');
  const outcome = playRun(kernel, step.text('prog'), inputOf(step));
  if (outcome.kind === 'stopped') return check.fail(what, outcome.message);
  if (step.has('errno')) {
    const expected = Math.abs(step.number('errno'));
    const got = outcome.kind === 'errno' ? `errno ${outcome.errno}` : `retval ${outcome.output.retval}`;
    return check.expect(
      what,
      got === `errno ${expected}` ? undefined : `expected errno ${expected}, got ${got}`,
    );
  }
  if (outcome.kind === 'errno') return check.fail(what, `expected a result, got errno ${outcome.errno}`);
  const { output } = outcome;
  const differences = [
    step.has('retval') && differ('retval', String(step.number('retval') >>> 0), String(output.retval)),
    step.has('ctx_out') &&
      differ('ctx_out', step.text('ctx_out'), bytesToHex(output.ctxOut ?? new Uint8Array(0))),
    step.has('data_out') &&
      differ('data_out', step.text('data_out'), bytesToHex(output.dataOut ?? new Uint8Array(0))),
  ].filter((difference) => typeof difference === 'string');
  check.expect(what, differences.length > 0 ? differences.join('\n') : undefined);
}

function inputOf(step: Fields): TestRunInput {
  return {
    data: step.has('data_in') ? step.bytes('data_in') : undefined,
    ctx: step.has('ctx_in') ? step.bytes('ctx_in') : undefined,
    repeat: step.has('repeat') ? step.number('repeat') : undefined,
    wantCtx: step.has('ctx_out'),
  };
}

function playRun(kernel: Kernel, name: string, input: TestRunInput): Outcome {
  try {
    const program = kernel.program(name);
    kernel.beginRun(program, input);
    const end = runToEnd(kernel, LIMIT);
    if (end.kind === 'exit') return { kind: 'output', output: kernel.finishRun(program) };
    return { kind: 'stopped', message: describe(kernel, end) };
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'kernel/errno') throw error;
    return { kind: 'errno', errno: Number(error.data['errno']) };
  }
}

function describe(kernel: Kernel, end: Exclude<RunEnd, { kind: 'exit' }>): string {
  if (end.kind === 'limit') return `no end after ${LIMIT} instructions`;
  const symbol = kernel.symbolAt(end.pc);
  return symbol ? `${end.message}\nat ${symbol.name}+0x${symbol.offset.toString(16)}` : end.message;
}

/** The first byte that differs, with what stands around it. */
function differ(what: string, expected: string, got: string): string | undefined {
  if (expected === got) return undefined;
  if (expected.length < 64)
    return `${what}: expected ${expected}\n${' '.repeat(what.length)}  got      ${got}`;
  let at = 0;
  while (expected[at] === got[at]) at++;
  const from = Math.max(0, at - (at % 2) - 16);
  return (
    `${what} (${expected.length / 2} bytes, got ${got.length / 2}) differs from byte ${at >> 1} on\n` +
    `expected … ${expected.slice(from, from + 64)}\ngot      … ${got.slice(from, from + 64)}`
  );
}
