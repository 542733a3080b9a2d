import { imm64 } from '../../engine/bpf/bytes';
import { BPF_PSEUDO, CALL, LD_IMM64, type BpfInsn } from '../../engine/bpf/insn';
import { compileFunction } from '../../engine/jit/subprograms';
import type { JitFunction } from '../../engine/jit/types';
import type { KernelFacts } from './facts';
import type { Fields } from './fields';

/** Where a recorded function stands in its program. */
export interface RecordedPlace {
  /** The program's name. */
  readonly name: string;
  /** func_idx */
  readonly index: number;
  /** Slot at which it starts. */
  readonly start: number;
  /** The program has several functions. */
  readonly isFunc: boolean;
}

/**
 * What keeps our JIT from making this function, since kernel records lack an input of it (cli.md): the arena's addresses, or
 * the argument sizes of kfuncs. undefined: nothing.
 */
export function incomparable(func: Fields, insns: readonly BpfInsn[]): 'arena' | 'kfunc' | undefined {
  if (func.has('arena')) return 'arena'; // the address of its struct bpf_arena
  const callsKfunc = insns.some((insn) => insn.code === CALL && insn.src === BPF_PSEUDO.KFUNC_CALL);
  return callsKfunc ? 'kfunc' : undefined;
}

/**
 * Compiles a function of a kernel record at its recorded address.
 * @param insns its `jit_insns`, or the program's `xlated` where it has none
 * @throws EngineError `jit/…`
 */
export function compileRecorded(
  func: Fields,
  insns: readonly BpfInsn[],
  place: RecordedPlace,
  facts: KernelFacts,
): JitFunction {
  const base = func.address('addr');
  const callBase = facts.symbol('__bpf_call_base');
  return compileFunction(
    {
      profile: facts.profile,
      ...place,
      name: place.index === 0 ? place.name : `${place.name}.${place.index}`,
      insns,
      stackDepth: func.number('stack_depth'),
      verifierZext: func.flag('verifier_zext'),
      tailCallReachable: func.flag('tail_call_reachable'),
      typeWord: undefined,
      surroundings: {
        callBase,
        addresses: { perCpuOffset: facts.symbol('__per_cpu_offset') },
        acceptsStrayJumps: true,
      },
    },
    () => base,
    (slot) => recordedCallee(insns, slot, callBase),
  );
}

/** After jit_subprogs a call's imm is the callee's distance from __bpf_call_base, a function reference its address. */
function recordedCallee(insns: readonly BpfInsn[], slot: number, callBase: bigint): bigint {
  const insn = insns[slot];
  if (insn?.code === LD_IMM64) return imm64(insns, slot);
  return BigInt.asUintN(64, callBase + BigInt(insn?.imm ?? 0));
}
