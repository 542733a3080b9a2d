import { EngineError } from '../base/errors';
import { BPF_PSEUDO, CALL, LD_IMM64 } from '../bpf/insn';
import { roundUp } from '../base/u64';
import type { XlateFacts } from '../profile/xlate-facts';
import type { Code } from './code';
import type { FunctionRange } from './subprogs';
import { targetOf } from './code';

/** Bytes of BPF stack that all active functions may use together (MAX_BPF_STACK). */
const MAX_STACK = 512;
/** Bytes below a subprogram that tail calls; 33 times this much fits the kernel's stack. */
const MAX_BELOW_TAIL_CALL = 256;

interface DepthInput {
  readonly code: Code;
  readonly ranges: readonly FunctionRange[];
  readonly facts: XlateFacts;
  /** Functions that run later, on a stack of their own. */
  readonly isAsync: (index: number) => boolean;
  /** A callback must not reach a tail call: it was entered without a count. */
  readonly tailCallInCallbackRefused: boolean;
}

/**
 * Adds up the stacks along every chain of calls and marks which functions reach a tail call (check_max_stack_depth).
 * @throws EngineError `xlate/stack-depth`, `xlate/tail-call`
 */
export function checkStackDepth(input: DepthInput): void {
  input.code.functions.forEach((fn, index) => {
    fn.tailCallReachable = input.ranges[index]!.hasTailCall;
  });
  input.ranges.forEach((_, index) => {
    if (index === 0 || input.isAsync(index)) new DepthWalk(input).enter(index, 0, false);
  });
}

class DepthWalk {
  /** Functions that wait for the current one to return, outermost first. */
  private readonly waiting: number[] = [];
  /** Some function of the walk so far tail calls; kernels that over-mark never forget it. */
  private reachable = false;

  /** What was found for a function at a depth; calls of it there need no second visit. */
  private readonly known = new Map<string, boolean>();

  constructor(private readonly input: DepthInput) {}

  /** @returns whether a tail call is reached from the function */
  enter(index: number, below: number, inCallback: boolean): boolean {
    const key = `${index} ${below} ${inCallback} ${this.waiting.length}`;
    const before = this.known.get(key);
    if (before !== undefined) {
      this.markWaiting();
      return before;
    }
    const reaches = this.visit(index, below, inCallback);
    this.markWaiting();
    if (reaches && !this.input.facts.tailCallReachableOverMarks)
      this.input.code.functions[index]!.tailCallReachable = true;
    this.known.set(key, reaches);
    return reaches;
  }

  /** Kernels that over-mark do so for all callers of a function once a tail call was seen anywhere before. */
  private markWaiting(): void {
    if (!this.input.facts.tailCallReachableOverMarks || !this.reachable) return;
    for (const caller of this.waiting) this.input.code.functions[caller]!.tailCallReachable = true;
  }

  private visit(index: number, below: number, inCallback: boolean): boolean {
    const { code, ranges, facts, isAsync, tailCallInCallbackRefused } = this.input;
    const fn = code.functions[index]!;
    const { hasTailCall, start, end } = ranges[index]!;
    if (index > 0 && hasTailCall && below >= MAX_BELOW_TAIL_CALL) {
      throw new EngineError(
        'xlate/tail-call',
        `Function ${fn.name} tail calls with ${below} bytes of stack in use below it; the kernel allows tail calls in subprograms below ${MAX_BELOW_TAIL_CALL} bytes only.`,
        { function: fn.name, bytes: below },
      );
    }
    if (hasTailCall && inCallback && tailCallInCallbackRefused) {
      throw new EngineError(
        'xlate/tail-call',
        `Function ${fn.name} runs as or under a callback and tail calls: cannot tail call within callback.`,
        { function: fn.name },
      );
    }
    const depth = below + roundUp(fn.stackDepth, 16);
    if (depth > MAX_STACK) {
      throw new EngineError(
        'xlate/stack-depth',
        `The combined stack of ${this.waiting.length + 1} calls is ${depth} bytes, with ${fn.name} innermost; the kernel allows ${MAX_STACK}.`,
        { function: fn.name, bytes: depth },
      );
    }
    let reaches = hasTailCall;
    for (let i = start; i < end; i++) {
      const { insn } = code.at(i);
      const calls = insn.code === CALL && insn.src === BPF_PSEUDO.CALL;
      const refers = insn.code === LD_IMM64 && insn.src === BPF_PSEUDO.FUNC;
      if (!calls && !refers) continue;
      const target = targetOf(insn, i)!;
      const callee = ranges.findIndex((range) => range.start === target);
      if (callee < 0 || (refers && isAsync(callee))) continue;
      if (ranges[callee]!.hasTailCall) this.reachable = true;
      this.waiting.push(index);
      if (this.waiting.length >= facts.maxFrames) {
        throw new EngineError(
          'xlate/stack-depth',
          `The call stack of ${this.waiting.length + 1} frames is too deep, with ${ranges[callee]!.name} innermost; the kernel allows ${facts.maxFrames}.`,
          { function: ranges[callee]!.name },
        );
      }
      if (this.enter(callee, depth, inCallback || refers)) reaches = true;
      this.waiting.pop();
    }
    return reaches;
  }
}
