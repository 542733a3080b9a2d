import { EngineError } from '../base/errors';
import { BPF_CLASS, BPF_JMP_OP, BPF_PSEUDO, type BpfInsn } from '../bpf/insn';
import { encodeInsns } from '../bpf/bytes';
import { isKfuncName } from '../bpf/kfuncs';
import { hexToBytes } from '../base/hex';
import { compileProgram } from '../jit/subprograms';
import type { JitFunction, JitInput, KfuncModel } from '../jit/types';
import type { BpfProgram } from '../loader/object';
import { supportsSubprogTailCalls } from '../jit/tcc/index';
import { xlateTrusted } from '../xlate/trusted';
import { xlate } from '../xlate/xlate';
import type { XlatedProgram, XlatePort } from '../xlate/types';
import type { KernelEnv } from './env';
import { errnoError } from './errno';
import { KFUNCS } from './helpers/kfuncs';
import type { MapStore } from './map-store';
import type { MapObject } from './maps/map-object';
import { ProgArrayMap, type ProgDirectory } from './maps/prog-array';
import type { ProgPack } from './prog-pack';
import { progTag } from './prog-tag';
import type { KernelProgram } from './types';

/** BPF_PROG_TYPE_EXT: programs that replace a function of another (freplace). */
const PROG_TYPE_EXT = 28;

/**
 * cfi_bpf_hash and cfi_bpf_subprog_hash: kCFI type words are the low 32 bits of XXH64 over the mangled function type, here
 * `_ZTSFjPKvPK8bpf_insnE` (a program's entry as C calls it) and `_ZTSFyyyyyyE` (a callback).
 */
const KCFI_TYPES = { main: 0xd9421881, subprog: 0x9e4709a9 } as const;

/** A loaded program with what the model keeps about it beside the contract. */
export interface LoadedProgram extends KernelProgram {
  /** 16 hex digits */
  readonly tag: string;
  /** Address of bpf_prog.insnsi: a program's second argument. */
  readonly insnsAddress: bigint;
  /** Tag of each function, main first. */
  readonly functionTags: readonly string[];
}

/** What a prog array's programs must have in common: set by the first one that is seen with it (bpf_map_owner). */
interface Owner {
  readonly type: number;
}

/** Where a program's code lies: one entry a JITed function. */
interface Extent {
  readonly base: bigint;
  readonly end: bigint;
  readonly program: LoadedProgram;
  readonly fn: JitFunction;
}

export interface ProgramsState {
  readonly programs: readonly LoadedProgram[];
  readonly owners: ReadonlyMap<number, Owner>;
  readonly nextId: number;
}

/** The loaded programs: from instructions to images and struct bpf_prog in machine memory (bpf_prog_load()). */
export class Programs implements ProgDirectory {
  private list: LoadedProgram[] = [];
  private extents: Extent[] = [];
  private owners = new Map<number, Owner>();
  private nextId = 1;

  constructor(
    private readonly env: KernelEnv,
    private readonly pack: ProgPack,
    private readonly port: XlatePort,
    private readonly maps: MapStore,
  ) {}

  all(): readonly LoadedProgram[] {
    return this.list;
  }

  find(name: string): LoadedProgram | undefined {
    return this.list.find((program) => program.name === name);
  }

  /**
   * Verifier rewrites, JIT, and everything into memory. Executable bytes become visible with the machine's next fence.
   * @param trusted the code is not checked, only rewritten
   * @throws EngineError of xlate and jit; `kernel/errno` EINVAL when a prog array it uses belongs to programs of another type;
   * `kernel/duplicate` for a name that is loaded already
   */
  load(source: BpfProgram, trusted = false): LoadedProgram {
    if (source.unsupported !== undefined) {
      throw new EngineError(
        'kernel/unsupported',
        `Program ${source.name} cannot be loaded: ${source.unsupported}`,
        { program: source.name },
      );
    }
    if (this.find(source.name)) {
      throw new EngineError(
        'kernel/duplicate',
        `A program named ${source.name} is loaded already; programs are known by their names.`,
        {
          program: source.name,
        },
      );
    }
    const { profile, space, structs } = this.env;
    const aux = space.kmalloc(structs.size('bpf_prog_aux'));
    const rewrite = trusted ? xlateTrusted : xlate;
    const xlated = rewrite(
      {
        name: source.name,
        insns: source.insns,
        functions: source.functions,
        relocations: source.relocations,
        progType: source.type.id,
        attachType: source.attachType,
        flags: source.flags,
        profile,
        supportsSubprogTailCalls: supportsSubprogTailCalls(profile),
        auxAddress: aux,
      },
      this.port,
    );
    const arrays = this.claimProgArrays(source);
    const jit = compileProgram(profile, this.jitInput(xlated, source.type.id), this.pack);
    for (const fn of jit.functions) {
      this.env.memory.write(fn.base, fn.image);
      if (fn.extableBytes.length > 0)
        this.env.memory.write(fn.base + BigInt(fn.extableOffset), fn.extableBytes);
    }
    const id = this.nextId++;
    const tag = progTag(source.insns, profile.kernel);
    const { address, insnsAddress } = this.writeProg(source, xlated, jit.functions, { id, tag, aux });
    const program: LoadedProgram = {
      id,
      name: source.name,
      source,
      xlated,
      jit,
      address,
      tag,
      insnsAddress,
      functionTags: functionTags(xlated, tag, (insns) => progTag(insns, profile.kernel)),
    };
    for (const map of arrays) this.owners.set(map.id, { type: source.type.id });
    this.list.push(program);
    for (const fn of jit.functions)
      this.extents.push({ base: fn.base, end: fn.base + BigInt(fn.image.length), program, fn });
    this.extents.sort((a, b) => (a.base < b.base ? -1 : 1));
    return program;
  }

  /** The prog arrays that the program refers to, if it may (bpf_check_tail_call()). @throws EngineError `kernel/errno` */
  private claimProgArrays(source: BpfProgram): MapObject[] {
    const arrays: MapObject[] = [];
    for (const relocation of source.relocations) {
      if (relocation.kind !== 'map') continue;
      const map = this.maps.named(relocation.map);
      if (!(map instanceof ProgArrayMap)) continue;
      const owner = this.owners.get(map.id);
      if (owner && owner.type !== source.type.id) {
        throw errnoError(
          'EINVAL',
          `Program ${source.name} of type ${source.type.name} cannot use prog array ${map.name}: programs of another type own it`,
          {
            program: source.name,
            map: map.name,
          },
        );
      }
      arrays.push(map);
    }
    return arrays;
  }

  private jitInput(xlated: XlatedProgram, progType: number): JitInput {
    const { profile, symbols } = this.env;
    return {
      name: xlated.name,
      insns: xlated.insns,
      subprogs: xlated.functions,
      verifierZext: xlated.verifierZext,
      callBase: symbols.callBase,
      addresses: {
        perCpuOffset: symbols.perCpuOffset,
        timedMayGoto: symbols.find('arch_bpf_timed_may_goto'),
      },
      kfuncs: this.kfuncModels(xlated.insns),
      ...(profile.cfi && { cfiHash: KCFI_TYPES }),
      isExtension: progType === PROG_TYPE_EXT,
    };
  }

  /** Argument models of the kfuncs that the code calls. */
  private kfuncModels(insns: readonly BpfInsn[]): KfuncModel[] {
    const models = new Map<number, KfuncModel>();
    for (const insn of insns) {
      if (
        insn.code !== (BPF_CLASS.JMP | BPF_JMP_OP.CALL) ||
        insn.src !== BPF_PSEUDO.KFUNC_CALL ||
        models.has(insn.imm)
      )
        continue;
      const name = this.env.symbols.at(
        BigInt.asUintN(64, this.env.symbols.callBase + BigInt(insn.imm)),
      )?.name;
      const kfunc = name !== undefined && isKfuncName(name) ? KFUNCS[name] : undefined;
      if (kfunc)
        models.set(insn.imm, { imm: insn.imm, argSizes: kfunc.argSizes, argSigned: kfunc.argSigned });
    }
    return [...models.values()];
  }

  /** struct bpf_prog with the translated instructions behind it, and what of bpf_prog_aux is of interest. */
  private writeProg(
    source: BpfProgram,
    xlated: XlatedProgram,
    functions: readonly JitFunction[],
    { id, tag, aux }: { readonly id: number; readonly tag: string; readonly aux: bigint },
  ): { address: bigint; insnsAddress: bigint } {
    const { structs, space, memory } = this.env;
    const insns = encodeInsns(xlated.insns);
    const header = structs.offset('bpf_prog.insnsi');
    const address = space.vmalloc(header + insns.length, `program ${source.name}`);
    const insnsAddress = address + BigInt(header);
    const main = functions[0]!;
    memory.write(insnsAddress, insns);
    structs.set(address, 'bpf_prog.type', source.type.id);
    structs.set(address, 'bpf_prog.expected_attach_type', source.attachType);
    structs.set(address, 'bpf_prog.len', xlated.insns.length);
    structs.set(address, 'bpf_prog.jited_len', main.jitedLen);
    memory.write(address + BigInt(structs.offset('bpf_prog.tag')), hexToBytes(tag));
    structs.set(address, 'bpf_prog.bpf_func', main.bpfFunc);
    structs.set(address, 'bpf_prog.aux', aux);
    structs.set(aux, 'bpf_prog_aux.id', id);
    structs.set(aux, 'bpf_prog_aux.stack_depth', xlated.functions[0]?.stackDepth ?? 0);
    structs.set(aux, 'bpf_prog_aux.func_cnt', functions.length > 1 ? functions.length : 0);
    structs.set(aux, 'bpf_prog_aux.verifier_zext', xlated.verifierZext ? 1 : 0);
    structs.set(aux, 'bpf_prog_aux.prog', address);
    structs.setText(aux, 'bpf_prog_aux.name', source.name);
    return { address, insnsAddress };
  }

  idAt(address: bigint): number | undefined {
    return address === 0n ? undefined : this.list.find((program) => program.address === address)?.id;
  }

  addressOf(id: number): bigint | undefined {
    return this.list.find((program) => program.id === id)?.address;
  }

  /** bpf_prog_map_compatible(): a map without an owner takes the first program's type. */
  accepts(map: ProgArrayMap, id: number): boolean {
    const program = this.list.find((candidate) => candidate.id === id);
    if (!program) return false;
    const type = program.source.type.id;
    const owner = this.owners.get(map.id);
    if (!owner) this.owners.set(map.id, { type });
    return !owner || owner.type === type;
  }

  /** The JITed function whose image holds the address. */
  functionAt(address: bigint): { readonly program: LoadedProgram; readonly fn: JitFunction } | undefined {
    let low = 0;
    let high = this.extents.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.extents[middle]!.base <= address) low = middle + 1;
      else high = middle;
    }
    const extent = this.extents[low - 1];
    return extent && address < extent.end ? extent : undefined;
  }

  save(): ProgramsState {
    return { programs: [...this.list], owners: new Map(this.owners), nextId: this.nextId };
  }

  restore(state: ProgramsState): void {
    this.list = [...state.programs];
    this.owners = new Map(state.owners);
    this.nextId = state.nextId;
    this.extents = this.list
      .flatMap((program) =>
        program.jit.functions.map((fn) => ({
          base: fn.base,
          end: fn.base + BigInt(fn.image.length),
          program,
          fn,
        })),
      )
      .sort((a, b) => (a.base < b.base ? -1 : 1));
  }
}

/** Main has the program's tag; each subprogram one over its own translated instructions, as jit_subprogs() computes it. */
function functionTags(
  xlated: XlatedProgram,
  main: string,
  tag: (insns: readonly BpfInsn[]) => string,
): string[] {
  return xlated.functions.map((fn, i) =>
    i === 0 ? main : tag(xlated.insns.slice(fn.start, xlated.functions[i + 1]?.start ?? xlated.insns.length)),
  );
}
