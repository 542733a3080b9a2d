import { hex64 } from '../../engine/base/hex';
import { compileTrampoline, type Trampoline } from '../../engine/jit/trampoline/trampoline';
import { REG } from '../../engine/rv64/registers';
import type { KernelFacts } from './facts';
import { functionAt, insnOf, type JitedFunction } from './trace-code';
import type { Trace, TraceStep } from './trace-record';
import {
  isPastEntry,
  trampolineModels,
  type Attachable,
  type SeenCall,
  type TracedFunction,
} from './trampolines';

/** A trampoline as a trace shows it: the instructions that ran, and the calls among them. */
interface Passage {
  readonly address: bigint;
  readonly steps: TraceStep[];
  readonly calls: SeenCall[];
}

const ENTER = '__bpf_prog_enter';

/**
 * The trampolines that a trace runs through, made by our JIT from the programs that they call: their images are not in such
 * records. Where they call a program that no step attaches, nothing is made.
 */
export function trampolinesOfTrace(
  trace: Trace,
  functions: readonly JitedFunction[],
  attached: readonly Attachable[],
  traced: TracedFunction,
  facts: KernelFacts,
): Trampoline[] {
  const known = new Set(attached.map(({ prog }) => prog));
  return passages(trace, functions).flatMap((passage) => {
    const programs = passage.calls.filter(({ symbol }) => symbol.startsWith(ENTER));
    if (programs.length === 0 || programs.some(({ a0 }) => a0 === undefined || !known.has(a0))) return [];
    const seen = { ...passage, name: `trampoline ${hex64(passage.address)}` };
    const made = trampolineModels(seen, attached, traced, facts).map((model) =>
      compileTrampoline(facts.profile, model),
    );
    return made.sort((a, b) => disagreeing(a, passage) - disagreeing(b, passage)).slice(0, 1);
  });
}

/** Code outside of functions is entered at the beginning of the trace or from a patched entry. */
function passages(trace: Trace, functions: readonly JitedFunction[]): Passage[] {
  const found: Passage[] = [];
  let a0 = trace.init.get(REG.a0);
  let before: TraceStep | undefined;
  trace.steps.forEach((step, i) => {
    a0 = step.changes.get(REG.a0) ?? a0;
    if (functionAt(functions, step.pc) === undefined) {
      const fn = before && functionAt(functions, before.pc);
      const enters = before === undefined || (fn !== undefined && before.pc === fn.base + 4n);
      if (enters && !found.some(({ address }) => address === step.pc)) {
        found.push({ address: step.pc, steps: [], calls: [] });
      }
      const passage = nearestBelow(found, step.pc);
      passage?.steps.push(step);
      const call = callOf(step, trace.steps[i + 1], a0);
      if (call) passage?.calls.push(call);
    }
    a0 = step.leaves?.changes.get(REG.a0) ?? a0;
    before = step;
  });
  return found;
}

/** The trampoline that a step belongs to: they lie in pages of their own. */
function nearestBelow(found: readonly Passage[], pc: bigint): Passage | undefined {
  const below = found.filter(({ address }) => address <= pc);
  return below.sort((a, b) => Number(b.address - a.address))[0];
}

function callOf(step: TraceStep, next: TraceStep | undefined, a0: bigint | undefined): SeenCall | undefined {
  const insn = insnOf(step);
  const mnemonic = insn?.base.mnemonic;
  if ((mnemonic !== 'jal' && mnemonic !== 'jalr') || insn?.rd !== REG.ra) return undefined;
  const target = step.leaves?.target ?? next?.pc;
  if (target === undefined) return undefined;
  const symbol = step.leaves?.symbol ?? '';
  return { target, symbol, a0, isOriginal: isPastEntry(symbol) };
}

/** Instructions of the trace that the trampoline does not have. */
function disagreeing({ address, image }: Trampoline, { steps }: Passage): number {
  return steps.filter(({ pc, bytes }) => {
    const at = Number(pc - address);
    return bytes.some((byte, i) => byte !== image[at + i]);
  }).length;
}
