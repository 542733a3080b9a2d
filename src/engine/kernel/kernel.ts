import { EngineError } from '../base/errors';
import type { BpfObject, BpfProgram, BpfProgType } from '../loader/object';
import { progTypeName } from '../loader/program-types';
import type { Machine, MachineStop } from '../machine/types';
import type { Profile } from '../jit/profile';
import type { StructLayouts } from '../profile/struct-layouts';
import { AddressSpace, type AllocatorState } from './address-space';
import type { Mmu } from './addresses';
import { VirtualClock } from './clock';
import type { RunContext } from './contexts/context';
import { makeContext } from './contexts/registry';
import type { KernelEnv } from './env';
import { EventLog, type EventLogState } from './events';
import type { HelperWorld } from './helpers/call';
import { HELPER_FUNCTIONS } from './helpers/registry';
import { loadObjectInto } from './load-object';
import { MapStore, type MapStoreState } from './map-store';
import { indexKey } from './maps/map-object';
import { MAP_OPS_SYMBOLS } from './maps/registry';
import { NetNamespace } from './net';
import { PerCpuMemory, type PerCpuState } from './percpu';
import { KernelXlatePort } from './port';
import { ProgPack, type PackState } from './prog-pack';
import { Programs, type LoadedProgram, type ProgramsState } from './programs';
import { RandomSource } from './random';
import { Structs } from './structs';
import { SymbolTable } from './symbols';
import { CurrentTask, REG, TEST_RUN_FUNCTIONS } from './task';
import { Traps } from './traps';
import type {
  Kernel,
  KernelEvent,
  KernelMap,
  KernelProgram,
  KernelSnapshot,
  MapAttributes,
  RawProgram,
  TestRunInput,
  TestRunOutput,
  TrapOutcome,
} from './types';

/** What a kernel model may be told beside its profile. */
export interface KernelOptions {
  /** Seed of everything that is random: bpf_get_prandom_u32, hash seeds, places of images. Default 1. */
  readonly seed?: number;
  /** Page-table format, which decides where the areas of kernel memory begin. Default sv39. */
  readonly mmu?: Mmu;
  /** Layouts of structs that differ from those of the profile's kernel, such as those a recorded kernel reports. */
  readonly layouts?: StructLayouts;
}

/** A run in progress. Immutable: each change makes a new one, so that a snapshot keeps it by reference. */
type Run =
  | {
      readonly kind: 'test';
      readonly program: LoadedProgram;
      readonly context: RunContext;
      readonly left: number;
    }
  | { readonly kind: 'exec'; readonly mem?: { readonly address: bigint; readonly length: number } };

/** Bytes of a snapshot's own objects, and of an entry in one of its lists: rough, upwards. */
const OVERHEAD = 2048;
const ENTRY_BYTES = 64;

/** Everything that is not in machine memory. */
class ModelSnapshot implements KernelSnapshot {
  constructor(
    readonly owner: Kernel,
    readonly allocator: AllocatorState,
    readonly percpu: PerCpuState,
    readonly pack: PackState,
    readonly random: bigint,
    readonly programs: ProgramsState,
    readonly maps: MapStoreState,
    readonly events: EventLogState,
    readonly run: Run | undefined,
  ) {}

  get bytes(): number {
    const { programs, maps, allocator } = this;
    const entries = programs.programs.length + programs.owners.size + maps.maps.length + allocator.free.size;
    return OVERHEAD + ENTRY_BYTES * entries;
  }
}

/**
 * The kernel around BPF programs, on the given machine: address space, symbols, maps, helpers, contexts of test runs.
 * The machine must be fresh: the model maps its own regions.
 */
export function createKernel(profile: Profile, machine: Machine, options: KernelOptions = {}): Kernel {
  return new KernelModel(profile, machine, options);
}

class KernelModel implements Kernel {
  private readonly env: KernelEnv;
  private readonly space: AddressSpace;
  private readonly percpu: PerCpuMemory;
  private readonly random: RandomSource;
  private readonly pack: ProgPack;
  private readonly symbols: SymbolTable;
  private readonly task: CurrentTask;
  private readonly net: NetNamespace;
  private readonly clock: VirtualClock;
  private readonly mapStore: MapStore;
  private readonly loaded: Programs;
  private readonly traps: Traps;
  private readonly log = new EventLog();
  private run: Run | undefined;

  constructor(
    readonly profile: Profile,
    readonly machine: Machine,
    options: KernelOptions,
  ) {
    const { memory } = machine;
    const mmu = options.mmu ?? 'sv39';
    const structs = new Structs(memory, profile, options.layouts);
    this.random = new RandomSource(options.seed ?? 1);
    this.space = new AddressSpace(memory, mmu);
    const functions = [...HELPER_FUNCTIONS, 'arch_bpf_timed_may_goto', ...TEST_RUN_FUNCTIONS];
    this.symbols = new SymbolTable(profile.kernel, memory, functions, ['jiffies', ...MAP_OPS_SYMBOLS]);
    this.percpu = new PerCpuMemory(memory, profile.kernel, mmu, this.symbols.perCpuOffset);
    this.env = {
      profile,
      machine,
      memory,
      structs,
      space: this.space,
      percpu: this.percpu,
      symbols: this.symbols,
      random: this.random,
    };
    this.task = new CurrentTask(this.env);
    this.net = new NetNamespace(this.env);
    this.clock = new VirtualClock(machine);
    this.pack = new ProgPack(memory, profile.kernel, this.random);
    this.mapStore = new MapStore(this.env, () => this.loaded);
    this.loaded = new Programs(
      this.env,
      this.pack,
      new KernelXlatePort(this.env, this.mapStore),
      this.mapStore,
    );
    this.traps = new Traps(this.world(), (name, id, pc, args, result) => {
      // Nothing is made for an event that is not kept: long runs would leave millions behind.
      if (this.log.helpersFull) return this.log.drop();
      return this.log.add({ kind: 'helper', step: this.step(), pc, id, name, args: [...args], result });
    });
  }

  private world(): HelperWorld {
    const { env, net, clock, task } = this;
    return {
      env,
      net,
      clock,
      task,
      maps: this.mapStore,
      symbolAt: (address) => this.symbolAt(address),
      note: (note) => void this.log.add({ ...note, step: this.step() }),
    };
  }

  private step(): bigint {
    return this.machine.instructions;
  }

  // ---- maps ---------------------------------------------------------------------------------------------------

  get maps(): readonly KernelMap[] {
    return this.mapStore.all();
  }

  createMap(attributes: MapAttributes): KernelMap {
    return this.mapStore.create(attributes);
  }

  map(name: string): KernelMap {
    return this.mapStore.named(name);
  }

  dumpMap(map: KernelMap): { key: Uint8Array; value: Uint8Array }[] {
    return this.mapStore.own(map).userEntries();
  }

  updateMap(map: KernelMap, key: Uint8Array, value: Uint8Array, flags = 0n): void {
    this.mapStore.update(map, key, value, flags);
  }

  deleteMapElement(map: KernelMap, key: Uint8Array): void {
    this.mapStore.delete(map, key);
  }

  freezeMap(map: KernelMap): void {
    this.mapStore.own(map).freeze();
  }

  setProgArray(map: KernelMap, index: number, program: string): void {
    this.updateMap(map, indexKey(index), indexKey(this.program(program).id));
  }

  // ---- programs -----------------------------------------------------------------------------------------------

  get programs(): readonly KernelProgram[] {
    return this.loaded.all();
  }

  program(name: string): LoadedProgram {
    const program = this.loaded.find(name);
    if (!program) {
      const names =
        this.loaded
          .all()
          .map((candidate) => candidate.name)
          .join(', ') || 'none';
      throw new EngineError(
        'kernel/no-program',
        `There is no program named '${name}'; loaded programs: ${names}.`,
        { program: name },
      );
    }
    return program;
  }

  loadRaw(raw: RawProgram): KernelProgram {
    const functions = raw.functions ?? [];
    const type: BpfProgType = { id: raw.progType, name: progTypeName(raw.progType) ?? String(raw.progType) };
    const source: BpfProgram = {
      name: raw.name,
      section: type.name,
      type,
      attachType: raw.attachType ?? 0,
      flags: raw.flags ?? 0,
      insns: raw.insns,
      functions: functions.map((fn) => ({ ...fn, btfId: 0, linkage: 'static' })),
      relocations: raw.relocations ?? [],
      lines: [],
    };
    const program = this.loaded.load(source, raw.trusted);
    this.machine.fenceI();
    return program;
  }

  loadObject(object: BpfObject, names?: readonly string[]): void {
    loadObjectInto(this.mapStore, this.loaded, object, names);
    this.machine.fenceI();
  }

  functionAt(address: bigint): ReturnType<Kernel['functionAt']> {
    return this.loaded.functionAt(address);
  }

  symbolAt(address: bigint): { readonly name: string; readonly offset: number } | undefined {
    const place = this.loaded.functionAt(address);
    if (!place) return this.symbols.at(address);
    const { program, fn } = place;
    const name = fn.index === 0 ? program.name : fn.name;
    return {
      name: `bpf_prog_${program.functionTags[fn.index] ?? program.tag}_${name}`,
      offset: Number(address - fn.base),
    };
  }

  trapName(address: bigint): string | undefined {
    return this.symbols.isText(address) ? this.symbols.at(address)?.name : undefined;
  }

  // ---- runs ---------------------------------------------------------------------------------------------------

  beginRun(program: KernelProgram, input: TestRunInput): void {
    const own = this.program(program.name);
    this.endRun();
    const context = makeContext({ env: this.env, net: this.net, program: own, input });
    this.run = { kind: 'test', program: own, context, left: Math.max(1, input.repeat ?? 1) };
    this.enter(own, context.address, own.insnsAddress);
  }

  beginExec(program: KernelProgram, mem?: Uint8Array): void {
    const own = this.program(program.name);
    this.endRun();
    if (mem === undefined || mem.length === 0) {
      this.run = { kind: 'exec' };
      return this.enter(own, 0n, 0n);
    }
    const address = this.space.vmallocExact(mem, 'program memory');
    this.run = { kind: 'exec', mem: { address, length: mem.length } };
    this.enter(own, address, BigInt(mem.length));
  }

  private endRun(): void {
    if (this.run?.kind === 'test') this.run.context.release();
    this.run = undefined;
    this.log.clear();
  }

  private enter(program: LoadedProgram, a0: bigint, a1: bigint): void {
    this.env.memory.writeU64(this.symbols.address('jiffies'), this.clock.jiffies());
    this.task.enter(program.jit.functions[0]!.bpfFunc, a0, a1);
  }

  handleTrap(stop: MachineStop & { readonly reason: 'trap' }): TrapOutcome {
    if (stop.pc !== this.task.exitPoint) return this.traps.handle(stop.pc);
    const { run } = this;
    if (run?.kind === 'test' && run.left > 1) {
      this.run = { ...run, left: run.left - 1 };
      this.enter(run.program, run.context.address, run.program.insnsAddress);
      return { kind: 'continue' };
    }
    return { kind: 'exit', returnValue: this.machine.getRegister(REG.a5) };
  }

  handleFault(stop: MachineStop & { readonly reason: 'fault' }): boolean {
    if (stop.cause !== 'load-access-fault' && stop.cause !== 'store-access-fault') return false;
    const place = this.loaded.functionAt(stop.pc);
    const offset = place && Number(stop.pc - place.fn.base);
    const entry = place?.fn.extable.find((candidate) => candidate.insnOffset === offset);
    if (!place || !entry) return false;
    if (entry.register !== 0) this.machine.setRegister(entry.register, 0n);
    this.machine.pc = place.fn.base + BigInt(entry.resumeOffset);
    return true;
  }

  finishRun(program: KernelProgram): TestRunOutput {
    if (this.run?.kind !== 'test' || this.run.program.name !== program.name) {
      throw new EngineError('kernel/no-run', `No test run of ${program.name} has been begun.`, {
        program: program.name,
      });
    }
    return this.run.context.finish(Number(BigInt.asUintN(32, this.machine.getRegister(REG.a0))));
  }

  finishExec(): { readonly mem?: Uint8Array } {
    if (this.run?.kind !== 'exec') throw new EngineError('kernel/no-run', 'No execution has been begun.');
    const { mem } = this.run;
    return mem ? { mem: this.env.memory.read(mem.address, mem.length) } : {};
  }

  // ---- history ------------------------------------------------------------------------------------------------

  get events(): readonly KernelEvent[] {
    return this.log.since(0);
  }

  get eventCount(): number {
    return this.log.count;
  }

  eventsSince(from: number): readonly KernelEvent[] {
    return this.log.since(from);
  }

  get eventsDropped(): number {
    return this.log.dropped;
  }

  snapshot(): KernelSnapshot {
    return new ModelSnapshot(
      this,
      this.space.save(),
      this.percpu.save(),
      this.pack.save(),
      this.random.save(),
      this.loaded.save(),
      this.mapStore.save(),
      this.log.save(),
      this.run,
    );
  }

  restore(snapshot: KernelSnapshot): void {
    if (!(snapshot instanceof ModelSnapshot) || snapshot.owner !== this) {
      throw new EngineError(
        'kernel/snapshot',
        'This snapshot was taken of another kernel; restore it there.',
      );
    }
    this.space.load(snapshot.allocator);
    this.percpu.load(snapshot.percpu);
    this.pack.load(snapshot.pack);
    this.random.load(snapshot.random);
    this.loaded.restore(snapshot.programs);
    this.mapStore.load(snapshot.maps);
    this.log.load(snapshot.events);
    this.run = snapshot.run;
  }
}
