import { BPF_ALU_OP, BPF_JMP_OP, BPF_SIZE, BPF_PSEUDO, CALL, TAIL_CALL, type BpfInsn } from '../bpf/insn';
import { EngineError } from '../base/errors';
import { alu64Imm, alu64Reg, jump, jump32Reg, ldImm64, ldx, mov64Imm, mov64Reg, stx, xchg64 } from './emit';
import { PROG } from './context';
import { inlineLookup, mapFunction } from './map-inline';
import { callOffset, helperOffset, symbolOffset, type Rewrite } from './rewrite';
import { HELPER } from './verify/helper-protos';
import type { InsnFacts } from './verify/env';
import type { RewriteRule } from './rules';

/** What a helper call becomes, and why. */
export interface CallRewrite {
  readonly insns: readonly BpfInsn[];
  readonly rule: RewriteRule;
}

/** GFP_ATOMIC and GFP_KERNEL, how storage may be allocated. */
const GFP_ATOMIC = 0x820;
const GFP_KERNEL = 0xcc0;
/** BPF_F_SLEEPABLE in prog_flags */
const FLAG_SLEEPABLE = 16;

/** Helpers that create local storage and receive the allocation flags in r5. */
const STORAGE_GETTERS: readonly number[] = [
  HELPER.SK_STORAGE_GET,
  HELPER.INODE_STORAGE_GET,
  HELPER.TASK_STORAGE_GET,
  HELPER.CGRP_STORAGE_GET,
];

/** Helpers that map types implement themselves. */
const MAP_HELPERS: readonly number[] = [
  HELPER.MAP_LOOKUP,
  HELPER.MAP_UPDATE,
  HELPER.MAP_DELETE,
  HELPER.MAP_PUSH,
  HELPER.MAP_POP,
  HELPER.MAP_PEEK,
  HELPER.FOR_EACH_MAP_ELEM,
  HELPER.MAP_LOOKUP_PERCPU,
];

export interface CallContext extends Rewrite {
  /** prog_flags */
  readonly flags: number;
  /** Address of struct bpf_prog_aux of the program that is being loaded. */
  readonly auxAddress: bigint | undefined;
  /** Names of called kernel functions by input slot. */
  readonly kfuncs: ReadonlyMap<number, string>;
  /** Number of tail calls with known map and index so far (poke descriptors). */
  pokes: number;
}

/**
 * Rewrites one call of a helper (the call part of do_misc_fixups).
 * @param inputSlot which instruction of the program as it was loaded makes the call
 */
export function rewriteCall(
  insn: BpfInsn,
  inputSlot: number,
  facts: InsnFacts,
  context: CallContext,
): CallRewrite {
  const id = insn.imm;
  if (id === HELPER.TAIL_CALL) return { insns: [tailCall(facts, context)], rule: 'tail-call' };
  const byAddress = (): BpfInsn => ({ ...insn, imm: helperOffset(context, insn, inputSlot) });
  if (id === HELPER.TIMER_SET_CALLBACK) return timerCallback(context, byAddress);
  if (STORAGE_GETTERS.includes(id) && context.facts.storageGetTakesFlags) {
    const gfp = (context.flags & FLAG_SLEEPABLE) !== 0 ? GFP_KERNEL : GFP_ATOMIC;
    return { insns: [mov64Imm(5, gfp), byAddress()], rule: 'storage-get' };
  }
  const own = MAP_HELPERS.includes(id) ? mapCall(insn, facts, context) : inlined(insn, context);
  if (own) return own;
  if (context.facts.jitInlinedHelpers.includes(id)) return { insns: [insn], rule: 'jit-inlined-helper' };
  return { insns: [byAddress()], rule: 'helper-address' };
}

/** A tail call is an opcode of its own; with known map and index it names its poke descriptor (spec 9.5). */
function tailCall(facts: InsnFacts, context: CallContext): BpfInsn {
  const known = facts.map?.kind === 'one' && facts.key?.kind === 'one';
  return { code: TAIL_CALL, dst: 0, src: 0, off: 0, imm: known ? ++context.pokes : 0 };
}

/** The helper is told which program the callback belongs to. */
function timerCallback(context: CallContext, byAddress: () => BpfInsn): CallRewrite {
  if (context.auxAddress === undefined) {
    throw new EngineError('xlate/unsupported', 'Programs that set a timer callback are not supported yet.');
  }
  return { insns: [...ldImm64(3, context.auxAddress), byAddress()], rule: 'timer-callback' };
}

/** Lookups become instructions, other map helpers the function of the map's type (spec 9.9). */
function mapCall(insn: BpfInsn, facts: InsnFacts, context: CallContext): CallRewrite | undefined {
  if (facts.map?.kind !== 'one') return undefined;
  const { map } = facts.map;
  if (insn.imm === HELPER.MAP_LOOKUP) {
    const insns = inlineLookup(map, context);
    if (insns) return { insns, rule: 'map-lookup-inline' };
  }
  const name = mapFunction(map, insn.imm);
  const target = name === undefined ? undefined : symbolOffset(context, name);
  return target === undefined ? undefined : { insns: [{ ...insn, imm: target }], rule: 'map-function' };
}

/** Helpers that are a few instructions. */
function inlined(insn: BpfInsn, context: CallContext): CallRewrite | undefined {
  const make = (rule: RewriteRule, ...insns: BpfInsn[]): CallRewrite => ({ insns, rule });
  switch (insn.imm) {
    case HELPER.JIFFIES64: {
      const address = context.port.symbol('jiffies');
      return address === undefined
        ? undefined
        : make('jiffies', ...ldImm64(0, address), ldx(BPF_SIZE.DW, 0, 0, 0));
    }
    case HELPER.KPTR_XCHG:
      return context.facts.kptrXchgInlined ? make('kptr-xchg', mov64Reg(0, 2), xchg64(1, 0, 0)) : undefined;
    default:
      return context.progType === PROG.TRACING ? tracing(insn, context, make) : undefined;
  }
}

/** BPF_TRACE_FEXIT and BPF_MODIFY_RETURN know a return value. */
const RETURN_VALUE_TYPES: readonly number[] = [25, 26];
const EINVAL = 22;
const EOPNOTSUPP = 95;

/** The trampoline leaves the number of arguments and the traced address below the context. */
function tracing(
  insn: BpfInsn,
  context: CallContext,
  make: (rule: RewriteRule, ...insns: BpfInsn[]) => CallRewrite,
): CallRewrite | undefined {
  switch (insn.imm) {
    case HELPER.GET_FUNC_ARG:
      return make(
        'get-func-arg',
        ldx(BPF_SIZE.DW, 0, 1, -8),
        jump32Reg(BPF_JMP_OP.JGE, 2, 0, 6),
        alu64Imm(BPF_ALU_OP.LSH, 2, 3),
        alu64Reg(BPF_ALU_OP.ADD, 2, 1),
        ldx(BPF_SIZE.DW, 0, 2, 0),
        stx(BPF_SIZE.DW, 3, 0, 0),
        mov64Imm(0, 0),
        jump(1),
        mov64Imm(0, -EINVAL),
      );
    case HELPER.GET_FUNC_RET:
      if (!RETURN_VALUE_TYPES.includes(context.attachType))
        return make('get-func-ret', mov64Imm(0, -EOPNOTSUPP));
      return make(
        'get-func-ret',
        ldx(BPF_SIZE.DW, 0, 1, -8),
        alu64Imm(BPF_ALU_OP.LSH, 0, 3),
        alu64Reg(BPF_ALU_OP.ADD, 0, 1),
        ldx(BPF_SIZE.DW, 3, 0, 0),
        stx(BPF_SIZE.DW, 2, 3, 0),
        mov64Imm(0, 0),
      );
    case HELPER.GET_FUNC_ARG_CNT:
      return make('get-func-arg-cnt', ldx(BPF_SIZE.DW, 0, 1, -8));
    case HELPER.GET_FUNC_IP:
      return make('get-func-ip', ldx(BPF_SIZE.DW, 0, 1, -16));
    default:
      return undefined;
  }
}

/** A call of a kernel function by its address (fixup_kfunc_call). */
export function rewriteKfuncCall(insn: BpfInsn, inputSlot: number, context: CallContext): CallRewrite {
  const name = context.kfuncs.get(inputSlot);
  const address = name === undefined ? undefined : context.port.kfunc(name);
  if (name === undefined || address === undefined) {
    throw new EngineError(
      'xlate/kfunc',
      `Instruction ${inputSlot} calls ${name ?? 'a kernel function that nothing names'}, which the kernel model does not have.`,
      { insn: inputSlot },
    );
  }
  return { insns: [{ ...insn, off: 0, imm: callOffset(context, address, name) }], rule: 'kfunc-address' };
}

/** Whether the instruction calls a kernel function. */
export const isKfuncCall = (insn: BpfInsn): boolean =>
  insn.code === CALL && insn.src === BPF_PSEUDO.KFUNC_CALL;

/** Whether the instruction calls a helper. */
export const isHelperCall = (insn: BpfInsn): boolean => insn.code === CALL && insn.src === 0;
