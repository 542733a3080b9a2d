import type { BpfInsn } from '../bpf/insn';
import type { BpfReloc } from '../loader/object';
import type { Profile } from '../profile/profile';
import type { RewriteRule } from './rules';

/** What xlate needs to know of one map; the kernel room gives it. */
export interface XlateMap {
  readonly name: string;
  /** enum bpf_map_type */
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  /** Address of the struct bpf_map. */
  readonly address: bigint;
  /** Address of the first value of array-like maps. */
  readonly valueAddress?: bigint;
  /** Array and hash of maps: what the inner maps are like. */
  readonly inner?: XlateMap;
  /** Bytes of a frozen read-only map's value (.rodata): loads from it are known constants to the verifier. */
  readonly frozen?: Uint8Array;
}

/** What the rewrites ask of the world around the program. Implemented by the kernel room, wired by a session. */
export interface XlatePort {
  /** Address of __bpf_call_base: a call's imm is target − callBase. */
  readonly callBase: bigint;
  /** CPUs that the machine may have (nr_cpu_ids): bpf_get_smp_processor_id is below it. */
  readonly cpus?: number;
  map(name: string): XlateMap;
  /** Address of the helper with this id (enum bpf_func_id); undefined for an id that no helper has. */
  helper(id: number, progType: number): bigint | undefined;
  /** Address of a function that a map type offers instead of the generic helper (`__htab_map_lookup_elem`, `array_map_update_elem` …). */
  symbol(name: string): bigint | undefined;
  kfunc(name: string): bigint | undefined;
  /** Kernel struct offsets in bytes for context rewriting: `sk_buff.len`, `xdp_buff.data`, `net_device.ifindex` … */
  field(name: string): { readonly offset: number; readonly size: number } | undefined;
}

/** A program as the user hands it to the kernel. */
export interface XlateInput {
  readonly name: string;
  readonly insns: readonly BpfInsn[];
  /** First slot of each function; [0] is main. May be empty: then xlate finds them from the calls. */
  readonly functions: readonly {
    readonly start: number;
    readonly name: string;
    /** `global` functions are verified on their own; static ones, the default, with each call. */
    readonly linkage?: 'static' | 'global';
  }[];
  readonly relocations: readonly BpfReloc[];
  /** enum bpf_prog_type */
  readonly progType: number;
  readonly attachType: number;
  readonly flags: number;
  readonly profile: Profile;
  /** Subprograms may tail call: the profile's JIT keeps the count across calls (bpf_jit_supports_subprog_tailcalls). */
  readonly supportsSubprogTailCalls: boolean;
  /**
   * Leaves out the zero extensions that kernel 7.2 forgets where paths join (its verifier dropped that bookkeeping with the
   * register chains). Off by default: the code is then right, and differs from that kernel's there.
   */
  readonly losesZextAtJoins?: boolean;
  /** Address of the program's struct bpf_prog_aux, for programs that set timer callbacks. */
  readonly auxAddress?: bigint;
}

/** Where an xlated instruction comes from. */
export interface XlateOrigin {
  /** Slot index of the input instruction whose place it took or whose patch it belongs to. */
  readonly insn: number;
  /** Which rewrite made it (`div-by-zero`, `zero-extension`, `ctx-access`, `map-lookup-inline` …); absent when unchanged. */
  readonly rule?: RewriteRule;
}

/** One function of an xlated program. */
export interface XlatedFunction {
  readonly name: string;
  /** Slot index in the xlated code. */
  readonly start: number;
  /** Bytes of BPF stack as the verifier determined (aux->stack_depth; a multiple of 8 as the kernel rounds it). */
  readonly stackDepth: number;
  readonly tailCallReachable: boolean;
  readonly kind: 'main' | 'subprog' | 'callback';
}

/**
 * The code as it leaves the verifier's rewrites, before jit_subprogs (spec section 9): helper calls carry
 * target − callBase, bpf2bpf calls and function references stay relative (src 1, src 4), tail calls are opcode 0xf5.
 */
export interface XlatedProgram {
  readonly name: string;
  readonly insns: readonly BpfInsn[];
  /** One entry per xlated slot. */
  readonly origin: readonly XlateOrigin[];
  readonly functions: readonly XlatedFunction[];
  /** aux->verifier_zext of the main program object; the JIT itself sees 0 when there are several functions. */
  readonly verifierZext: boolean;
  /** Slot indices (xlated) whose ld_imm64 is a map, map value … for printing: slot → text such as `map[name:hits]`. */
  readonly notes: ReadonlyMap<number, string>;
}
