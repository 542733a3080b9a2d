import type { BpfInsn } from '../bpf/insn';
import type { Btf } from '../btf/types';

/** What the loader makes of an ELF file: everything described, nothing patched in place. */
export interface BpfObject {
  /** File name without directory, for messages and titles. */
  readonly name: string;
  readonly license: string;
  readonly programs: readonly BpfProgram[];
  readonly maps: readonly BpfMapDef[];
  readonly globals: readonly BpfGlobal[];
  readonly externs: readonly BpfExtern[];
  /** Variables in `.struct_ops` sections; absent when there are none. */
  readonly structOps?: readonly BpfStructOps[];
  readonly btf?: Btf;
}

/** A variable in a `.struct_ops` section: a struct of the kernel's whose function pointers are programs. */
export interface BpfStructOps {
  readonly name: string;
  /** Name of the struct, e.g. `tcp_congestion_ops`. */
  readonly type: string;
  /** Members that point to programs, in the order of the struct. */
  readonly members: readonly {
    readonly name: string;
    /** BTF id of the member's FUNC_PROTO in the object's BTF. */
    readonly btfId: number;
    readonly program: string;
  }[];
}

/** How an instruction refers to something outside the program. `insn` is the slot index of the first slot. */
export type BpfReloc =
  /** ld_imm64: the address of the struct bpf_map (src 1); imm is 0 in `insns`. */
  | { readonly kind: 'map'; readonly insn: number; readonly map: string }
  /** ld_imm64: the address of byte `offset` of the map's first value (src 2); first imm 0, second imm = offset. */
  | { readonly kind: 'map-value'; readonly insn: number; readonly map: string; readonly offset: number }
  /** call src 2: a kernel function by name. */
  | { readonly kind: 'kfunc'; readonly insn: number; readonly name: string }
  /** ld_imm64: a kernel variable (ksym) by name. */
  | { readonly kind: 'ksym'; readonly insn: number; readonly name: string };

/** One source position: where the code of `insn` and the following slots comes from (.BTF.ext line_info). */
export interface LineInfo {
  /** Slot index in the program's `insns`. */
  readonly insn: number;
  readonly file: string;
  /** 1-based */
  readonly line: number;
  /** 1-based; 0 when unknown */
  readonly column: number;
  /** The source line's text as recorded in the object. */
  readonly text: string;
}

/** A function inside a program: main first, then the subprograms it reaches, appended as libbpf does. */
export interface BpfFunction {
  readonly name: string;
  /** Slot index of its first instruction in the program's `insns`. */
  readonly start: number;
  /** BTF id of its FUNC type, 0 when unknown. */
  readonly btfId: number;
  readonly linkage: 'static' | 'global';
}

/** One loadable program: what libbpf would hand to bpf(BPF_PROG_LOAD). */
export interface BpfProgram {
  readonly name: string;
  /** ELF section, e.g. `xdp`, `tc`, `fentry/bpf_fentry_test1`. */
  readonly section: string;
  readonly type: BpfProgType;
  /** enum bpf_attach_type as libbpf derives it from the section; 0 when none. */
  readonly attachType: number;
  /** What comes after the slash of the section name: the function or hook to attach to. */
  readonly attachTo?: string;
  /** prog_flags, e.g. 16 = BPF_F_SLEEPABLE. */
  readonly flags: number;
  /** All functions' code, relocated as far as possible without a kernel (calls between functions are). */
  readonly insns: readonly BpfInsn[];
  readonly functions: readonly BpfFunction[];
  readonly relocations: readonly BpfReloc[];
  readonly lines: readonly LineInfo[];
  /**
   * Why this program cannot be loaded (a feature that Hartbeat does not support yet), as one sentence; such programs
   * are listed by `info` and refused when used.
   */
  readonly unsupported?: string;
  /** Set when the section name begins with `?`: libbpf loads the program only when it is asked to. */
  readonly optional?: true;
}

/** enum bpf_prog_type with the kernel's numbers. */
export interface BpfProgType {
  readonly id: number;
  /** Kernel name without BPF_PROG_TYPE_, lower case: `xdp`, `sched_cls`, `socket_filter`, `syscall` … */
  readonly name: string;
}

/** A map definition: legacy `maps` section, BTF-defined `.maps`, or the implicit map of a data section. */
export interface BpfMapDef {
  readonly name: string;
  /** enum bpf_map_type */
  readonly type: number;
  /** Bytes */
  readonly keySize: number;
  /** Bytes */
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  /** Initial bytes of the single value (data sections); absent when all of it is 0 (`.bss`). */
  readonly initial?: Uint8Array;
  /** Values of a prog array or map in map given in the source: index and the program's or map's name. */
  readonly slots?: readonly { readonly index: number; readonly target: string }[];
  readonly keyBtfId?: number;
  readonly valueBtfId?: number;
  /** True for `.rodata`: frozen after load, programs may treat it as constant. */
  readonly readOnly?: boolean;
  /** Map in map: what the inner maps look like. */
  readonly inner?: BpfMapDef;
  /** enum libbpf_pin_type: 1 = by name under the BPF file system. */
  readonly pinning?: number;
  /** Per-type extra value (`map_extra`), e.g. hash functions of a bloom filter. */
  readonly extra?: bigint;
  /** Where the definition comes from; `data` is the implicit map of a data section. */
  readonly origin?: 'btf' | 'legacy' | 'data' | 'struct_ops';
}

/** A global variable of `.data`, `.bss`, `.rodata` (or a custom data section). */
export interface BpfGlobal {
  readonly name: string;
  readonly map: string;
  /** Bytes from the start of the map's value. */
  readonly offset: number;
  readonly size: number;
  /** BTF id of the variable's type; 0 when unknown. */
  readonly btfId: number;
}

/** A symbol that the object wants from outside: kconfig, ksym or kfunc. */
export interface BpfExtern {
  readonly name: string;
  readonly kind: 'kconfig' | 'ksym' | 'kfunc';
  readonly weak: boolean;
}
