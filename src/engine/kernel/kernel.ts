import { EngineError } from '../base/errors';
import { bytesToHex } from '../base/hex';
import type { BpfObject, BpfProgram, BpfProgType } from '../loader/object';
import { progTypeName } from '../loader/program-types';
import type { Machine, MachineStop } from '../machine/types';
import type { Profile } from '../profile/profile';
import type { StructLayouts } from '../profile/struct-layouts';
import { AddressSpace, type AllocatorState } from './address-space';
import type { Mmu } from './addresses';
import { VirtualClock } from './clock';
import type { RunContext } from './contexts/context';
import { makeContext } from './contexts/registry';
import type { KernelEnv } from './env';
import { errnoError, errnoName } from './errno';
import { EventLog, type EventLogState } from './events';
import type { HelperWorld } from './helpers/call';
import { HELPER_FUNCTIONS } from './helpers/registry';
import { indexKey, MapObject } from './maps/map-object';
import { createMap, isMapTypeSupported, MAP_OPS_SYMBOLS } from './maps/registry';
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
  MapAttributes,
  RawProgram,
  TestRunInput,
  TestRunOutput,
  TrapOutcome,
} from './types';

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

/** Everything that is not in machine memory. */
class KernelSnapshot {
  constructor(
    readonly allocator: AllocatorState,
    readonly percpu: PerCpuState,
    readonly pack: PackState,
    readonly random: bigint,
    readonly programs: ProgramsState,
    readonly maps: readonly MapObject[],
    readonly nextMapId: number,
    readonly events: EventLogState,
    readonly run: Run | undefined,
  ) {}
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
  private readonly loaded: Programs;
  private readonly traps: Traps;
  private readonly log = new EventLog();
  private mapList: MapObject[] = [];
  private nextMapId = 1;
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
    const mapByName = (name: string): MapObject => this.mapObject(name);
    this.loaded = new Programs(this.env, this.pack, new KernelXlatePort(this.env, mapByName), mapByName);
    this.traps = new Traps(this.world(), (name, id, pc, args, result) =>
      this.log.add({ kind: 'helper', step: this.step(), pc, id, name, args, result }),
    );
  }

  private world(): HelperWorld {
    const { env, net, clock, task } = this;
    return {
      env,
      net,
      clock,
      task,
      maps: {
        byId: (id) => this.mapList.find((map) => map.id === id),
        byAddress: (address) => this.mapList.find((map) => map.address === address),
        all: () => this.mapList,
      },
      symbolAt: (address) => this.symbolAt(address),
      note: (note) => void this.log.add({ ...note, step: this.step() }),
    };
  }

  private step(): bigint {
    return this.machine.counters().instructions;
  }

  // ---- maps ---------------------------------------------------------------------------------------------------

  get maps(): readonly KernelMap[] {
    return this.mapList;
  }

  createMap(attributes: MapAttributes): KernelMap {
    if (this.mapList.some((map) => map.name === attributes.name)) {
      throw new EngineError(
        'kernel/duplicate',
        `A map named ${attributes.name} exists already; maps are known by their names.`,
        {
          map: attributes.name,
        },
      );
    }
    const world = { env: this.env, programs: this.loaded, maps: this.world().maps };
    const map = createMap(world, attributes, this.nextMapId);
    this.nextMapId++;
    this.mapList.push(map);
    return map;
  }

  map(name: string): KernelMap {
    return this.mapObject(name);
  }

  private mapObject(name: string): MapObject {
    const map = this.mapList.find((candidate) => candidate.name === name);
    if (!map) {
      const names = this.mapList.map((candidate) => candidate.name).join(', ') || 'none';
      throw new EngineError('kernel/no-map', `There is no map named '${name}'; loaded maps: ${names}.`, {
        map: name,
      });
    }
    return map;
  }

  /** The model's object of a map that this kernel handed out. */
  private own(map: KernelMap): MapObject {
    return map instanceof MapObject && this.mapList.includes(map) ? map : this.mapObject(map.name);
  }

  dumpMap(map: KernelMap): { key: Uint8Array; value: Uint8Array }[] {
    const object = this.own(map);
    return object.userEntries();
  }

  updateMap(map: KernelMap, key: Uint8Array, value: Uint8Array, flags = 0n): void {
    const object = this.own(map);
    this.checkUserAccess(object, key, value);
    this.check(
      object.userUpdate(key, value, flags),
      `Map ${object.name} refuses the value for key ${bytesToHex(key)}`,
    );
  }

  deleteMapElement(map: KernelMap, key: Uint8Array): void {
    const object = this.own(map);
    this.checkUserAccess(object, key);
    this.check(object.userDelete(key), `Map ${object.name} cannot delete key ${bytesToHex(key)}`);
  }

  freezeMap(map: KernelMap): void {
    this.own(map).freeze();
  }

  private checkUserAccess(map: MapObject, key: Uint8Array, value?: Uint8Array): void {
    if (map.frozen)
      throw errnoError('EPERM', `Map ${map.name} is frozen: user space cannot change it`, { map: map.name });
    if (key.length !== map.keySize) {
      throw errnoError('EINVAL', `Keys of map ${map.name} have ${map.keySize} bytes, not ${key.length}`, {
        map: map.name,
      });
    }
    if (value && value.length < map.userValueSize) {
      throw errnoError(
        'EINVAL',
        `Values of map ${map.name} have ${map.userValueSize} bytes, not ${value.length}`,
        { map: map.name },
      );
    }
  }

  private check(status: number, what: string): void {
    if (status < 0)
      throw new EngineError('kernel/errno', `${what} (-${errnoName(-status)}).`, { errno: -status });
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
    const program = this.loaded.load(source);
    this.machine.fenceI();
    return program;
  }

  loadObject(object: BpfObject, names?: readonly string[]): void {
    const programs = wantedPrograms(object, names);
    const used = new Set(
      programs.flatMap((program) => program.relocations.flatMap((r) => ('map' in r ? [r.map] : []))),
    );
    for (const definition of object.maps) {
      // A map that no wanted program uses is made for the user to see, if it can be.
      if (!used.has(definition.name) && !isMapTypeSupported(definition.type)) continue;
      const map = this.createMap(definition);
      if (definition.initial) this.updateMap(map, new Uint8Array(4), definition.initial);
      if (definition.readOnly === true) this.freezeMap(map);
    }
    for (const program of programs) this.loaded.load(program);
    for (const definition of object.maps) {
      for (const slot of definition.slots ?? []) {
        if (!this.mapList.some((map) => map.name === definition.name)) continue;
        const map = this.mapObject(definition.name);
        if (programs.some((program) => program.name === slot.target))
          this.setProgArray(map, slot.index, slot.target);
        else if (this.mapList.some((inner) => inner.name === slot.target)) {
          this.updateMap(map, indexKey(slot.index), indexKey(this.mapObject(slot.target).id));
        }
      }
    }
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

  finishRun(program: KernelProgram, _input: TestRunInput): TestRunOutput {
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
    return this.log.events;
  }

  get eventsDropped(): number {
    return this.log.dropped;
  }

  snapshot(): unknown {
    return new KernelSnapshot(
      this.space.save(),
      this.percpu.save(),
      this.pack.save(),
      this.random.save(),
      this.loaded.save(),
      [...this.mapList],
      this.nextMapId,
      this.log.save(),
      this.run,
    );
  }

  /** @throws EngineError `kernel/snapshot` for anything that snapshot() did not make. */
  restore(snapshot: unknown): void {
    if (!(snapshot instanceof KernelSnapshot)) {
      throw new EngineError('kernel/snapshot', 'This is no snapshot of a kernel model.');
    }
    this.space.load(snapshot.allocator);
    this.percpu.load(snapshot.percpu);
    this.pack.load(snapshot.pack);
    this.random.load(snapshot.random);
    this.loaded.restore(snapshot.programs);
    this.mapList = [...snapshot.maps];
    this.nextMapId = snapshot.nextMapId;
    this.log.load(snapshot.events);
    this.run = snapshot.run;
  }
}

/**
 * The programs asked for, and those that prog arrays of theirs hold from the start, in the order of the object.
 * @throws EngineError `kernel/no-program`
 */
function wantedPrograms(object: BpfObject, names: readonly string[] | undefined): BpfProgram[] {
  if (!names) return [...object.programs];
  const wanted = new Set<string>();
  const add = (name: string): void => {
    if (wanted.has(name)) return;
    const program = object.programs.find((candidate) => candidate.name === name);
    if (!program) {
      const known = object.programs.map((candidate) => candidate.name).join(', ') || 'none';
      throw new EngineError(
        'kernel/no-program',
        `${object.name} has no program named '${name}'; it has: ${known}.`,
        { program: name },
      );
    }
    wanted.add(name);
    const maps = new Set(
      program.relocations.flatMap((relocation) => ('map' in relocation ? [relocation.map] : [])),
    );
    for (const map of object.maps) {
      if (!maps.has(map.name)) continue;
      for (const slot of map.slots ?? [])
        if (object.programs.some((candidate) => candidate.name === slot.target)) add(slot.target);
    }
  };
  names.forEach(add);
  return object.programs.filter((program) => wanted.has(program.name));
}
