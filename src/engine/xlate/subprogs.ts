import { EngineError } from '../base/errors';
import { functionStarts } from '../bpf/functions';
import { BPF_PSEUDO, CALL, LD_IMM64, type BpfInsn } from '../bpf/insn';
import type { XlateInput } from './types';

/** A function of the program before any rewriting: slots `start` to `end` - 1. */
export interface FunctionRange {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  /** The kernel verifies it on its own (linkage global in BTF). */
  readonly isGlobal: boolean;
  /** Someone takes its address for a callback. */
  readonly isCallback: boolean;
  /** Contains a tail call. */
  readonly hasTailCall: boolean;
  /** Contains LD_ABS or LD_IND. */
  readonly hasPacketLoad: boolean;
}

const HELPER_TAIL_CALL = 12;
/** BPF_MAX_SUBPROGS */
const MAX_FUNCTIONS = 256;

/**
 * Finds the functions of a program: those given, and those that calls and function references name (add_subprog_and_kfunc,
 * check_subprogs). Structural faults are bpf/validate's; this refuses what is too much or does not fit together.
 * @throws EngineError `xlate/functions`
 */
export function findFunctions(input: Pick<XlateInput, 'insns' | 'functions'>): FunctionRange[] {
  const { insns } = input;
  const globals = new Set(input.functions.filter((fn) => fn.linkage === 'global').map((fn) => fn.start));
  const names = new Map(input.functions.map((fn) => [fn.start, fn.name]));
  const starts = [...new Set([...functionStarts(insns), ...names.keys()])].sort((a, b) => a - b);
  const outside = starts.find((start) => start < 0 || start >= insns.length);
  if (outside !== undefined) {
    throw new EngineError(
      'xlate/functions',
      `A function begins at slot ${outside}, but the program has slots 0 to ${insns.length - 1}.`,
      { insn: outside },
    );
  }
  if (starts.length > MAX_FUNCTIONS) {
    throw new EngineError(
      'xlate/functions',
      `The program has ${starts.length} functions; the kernel takes ${MAX_FUNCTIONS}.`,
      { functions: starts.length },
    );
  }
  const callbacks = new Set<number>();
  insns.forEach((insn, i) => {
    if (insn.code === LD_IMM64 && insn.src === BPF_PSEUDO.FUNC) callbacks.add(i + 1 + insn.imm);
  });
  return starts.map((start, i) => {
    const end = starts[i + 1] ?? insns.length;
    const body = insns.slice(start, end);
    return {
      name: names.get(start) ?? (start === 0 ? 'main' : `subprog_${i}`),
      start,
      end,
      isGlobal: start !== 0 && globals.has(start),
      isCallback: callbacks.has(start),
      hasTailCall: body.some((insn) => insn.code === CALL && insn.src === 0 && insn.imm === HELPER_TAIL_CALL),
      hasPacketLoad: body.some(isPacketLoad),
    };
  });
}

/** LD_ABS or LD_IND. */
export const isPacketLoad = (insn: BpfInsn): boolean =>
  (insn.code & 7) === 0 && ((insn.code & 0xe0) === 0x20 || (insn.code & 0xe0) === 0x40);
