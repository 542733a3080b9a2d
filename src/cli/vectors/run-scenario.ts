import { EngineError } from '../../engine/base/errors';
import { hex64 } from '../../engine/base/hex';
import { decodeInsns } from '../../engine/bpf/bytes';
import { compileProgram } from '../../engine/jit/subprograms';
import type { JitFunction } from '../../engine/jit/types';
import { CALLER_SAVED, helperPoison, REG } from '../../engine/kernel/task';
import { createMachine } from '../../engine/machine/machine';
import type { Machine } from '../../engine/machine/types';
import type { Profile } from '../../engine/jit/profile';
import type { Fields } from './fields';
import { harnessInput, harnessProfile } from './harness';
import type { RecordCheck } from './report';

/** Where the scenario's caller "is": nothing is mapped there, so the machine stops. */
const RETURN_ADDRESS = 0xffffffff80000ffcn;
const STACK_BASE = 0xffffffc600000000n;
/** Scenarios that do not count right need more than a kernel's 16 KiB before they end. */
const STACK_BYTES = 1 << 20;
const CONTEXT = 0xffffffd600000000n;
const PAGE = 4096n;
const LIMIT = 2_000_000;
/** The budget is the immediate of `addi a6, x0, imm`, the word at this offset of each main program's image (spec 2.1). */
const BUDGET_OFFSET = 8;

/** What a scenario counts, by the names of `expect`. */
interface Counts {
  readonly counters: readonly bigint[];
  readonly tail_calls: number;
  readonly a0: bigint;
  readonly rv_insns: number;
  readonly loads: number;
  readonly stores: number;
  readonly helper_calls: number;
  readonly max_stack_bytes: number;
}

/**
 * A tail call scenario, run on the machine alone: once with images of our JIT at the recorded addresses and once with the recorded
 * ones. Both must count what the record says.
 */
export function checkScenarioRun(check: RecordCheck, record: Fields): void {
  const profile = harnessProfile(record);
  const recorded = record.objects('programs').map((program) => program.objects('funcs'));
  const programs = record.objects('programs').map((program, i) => {
    const input = harnessInput(program, record, `program ${i}`, decodeInsns(program.bytes('insns')));
    const place = (index: number): bigint => recorded[i]?.[index]?.address('base') ?? 0n;
    return compileProgram(profile, input, { place }).functions;
  });
  check.count('scenarios');
  play(check, record, profile, programs, 'our images', (_program, fn) => fn.image);
  play(check, record, profile, programs, 'the recorded images', (program, fn) =>
    recordedImage(recorded, program, fn),
  );
}

/** @throws EngineError `usage/vectors` if the record has no such function */
function recordedImage(
  recorded: readonly (readonly Fields[])[],
  program: number,
  fn: JitFunction,
): Uint8Array {
  const func = recorded[program]?.[fn.index];
  if (func) return func.bytes('image');
  throw new EngineError('usage/vectors', `The scenario has no image of function ${fn.name}.`, { program });
}

/** The bytes of a function of a program. */
type ImageOf = (program: number, fn: JitFunction) => Uint8Array;

function play(
  check: RecordCheck,
  record: Fields,
  profile: Profile,
  programs: readonly (readonly JitFunction[])[],
  whose: string,
  imageOf: ImageOf,
): void {
  const machine = createMachine();
  const scenario = new Scenario(machine, programs, profile, imageOf);
  scenario.build(record);
  const got = scenario.run(record.number('entry'));
  const counts: Counts = {
    ...got,
    counters: record.addresses('counters').map((address) => machine.memory.readU64(address)),
  };
  const expected = record.object('expect');
  const differences = expected.keys().flatMap((key) => {
    const want =
      key === 'counters' ? expected.list(key).map(String).join(', ') : String(expected.number(key));
    const own = counts[key as keyof Counts];
    const have = Array.isArray(own) ? own.join(', ') : String(own);
    return want === have ? [] : [`${key}: expected ${want}, got ${have}`];
  });
  check.expect(`scenario with ${whose}`, differences.length > 0 ? differences.join('\n') : undefined);
}

/** Entries of a prog array that a scenario may ask for; each takes memory of the machine. */
const MAX_ENTRIES = 0x10000;

class Scenario {
  constructor(
    private readonly machine: Machine,
    private readonly programs: readonly (readonly JitFunction[])[],
    private readonly profile: Profile,
    private readonly imageOf: ImageOf,
  ) {}

  /** Images, stack, prog arrays, struct bpf_prog and counters in memory. */
  build(record: Fields): void {
    const { memory } = this.machine;
    const { layout } = this.profile;
    const rw = { r: true, w: true, x: false };
    memory.map({ name: 'stack', base: STACK_BASE, size: STACK_BYTES, permissions: rw });
    memory.map({ name: 'context', base: CONTEXT, size: Number(PAGE), permissions: rw });
    const data = (address: bigint, bytes: bigint, name: string): void => {
      for (let page = address & ~(PAGE - 1n); page < address + bytes; page += PAGE) {
        if (!memory.regionAt(page)) memory.map({ name, base: page, size: Number(PAGE), permissions: rw });
      }
    };
    this.programs.forEach((functions, program) => {
      for (const fn of functions) this.mapImage(fn, this.imageOf(program, fn), record.number('budget'));
    });
    const progs = record.addresses('bpf_prog_addrs');
    progs.forEach((address, i) => {
      data(address, 256n, 'bpf_prog');
      memory.writeU64(address + BigInt(layout.bpfProgBpfFunc), this.mainOf(i).bpfFunc);
    });
    for (const array of record.objects('prog_arrays')) {
      const address = array.address('addr');
      const entries = array.count('max_entries');
      if (entries > MAX_ENTRIES) {
        throw new EngineError(
          'usage/vectors',
          `The scenario has a prog array of ${entries} entries; at most ${MAX_ENTRIES} are played.`,
          { entries },
        );
      }
      data(address, BigInt(layout.bpfArrayPtrs + 8 * entries), 'bpf_array');
      memory.writeU32(address + BigInt(layout.bpfArrayMaxEntries), entries);
      array.list('slots').forEach((slot, i) => {
        const target = typeof slot === 'number' ? (progs[slot] ?? this.missing(slot)) : 0n;
        memory.writeU64(address + BigInt(layout.bpfArrayPtrs + 8 * i), target);
      });
    }
    for (const counter of record.addresses('counters')) data(counter, 8n, 'counters');
    this.machine.fenceI();
  }

  /** @throws EngineError `usage/vectors` if the record holds no such program */
  private mainOf(program: number): JitFunction {
    return this.programs[program]?.[0] ?? this.missing(program);
  }

  /** @throws EngineError `usage/vectors` always */
  private missing(program: number): never {
    throw new EngineError(
      'usage/vectors',
      `The scenario refers to program ${program}, but holds ${this.programs.length}.`,
      { program },
    );
  }

  private mapImage(fn: JitFunction, image: Uint8Array, budget: number): void {
    const { memory } = this.machine;
    const first = fn.base & ~(PAGE - 1n);
    for (let page = first; page < fn.base + BigInt(image.length); page += PAGE) {
      if (memory.regionAt(page)) continue;
      memory.map({
        name: 'images',
        base: page,
        size: Number(PAGE),
        permissions: { r: true, w: false, x: true },
      });
    }
    memory.write(fn.base, image);
    if (fn.index !== 0) return;
    const at = fn.base + BigInt(BUDGET_OFFSET);
    memory.writeU32(at, (budget << 20) | (memory.readU32(at) & 0xfffff));
  }

  run(entry: number): Omit<Counts, 'counters'> {
    const { machine } = this;
    const top = STACK_BASE + BigInt(STACK_BYTES);
    const entries = new Set(this.programs.map((functions) => functions[0]!.tailCallEntry));
    for (const register of CALLER_SAVED) machine.setRegister(register, helperPoison(register));
    machine.setRegister(REG.ra, RETURN_ADDRESS);
    machine.setRegister(REG.sp, top);
    machine.setRegister(REG.a0, CONTEXT);
    machine.pc = this.mainOf(entry).bpfFunc;
    let [tailCalls, helperCalls, lowest] = [0, 0, top];
    for (let count = 0; count < LIMIT; count++) {
      const before = machine.pc;
      const stop = machine.step();
      if (stop.reason !== 'limit') {
        if (stop.pc === RETURN_ADDRESS) {
          const { instructions, loads, stores } = machine.counters();
          return {
            tail_calls: tailCalls,
            a0: BigInt.asIntN(64, machine.getRegister(REG.a0)),
            rv_insns: Number(instructions),
            loads: Number(loads),
            stores: Number(stores),
            helper_calls: helperCalls,
            max_stack_bytes: Number(top - lowest),
          };
        }
        if (!this.isHelper(stop.reason, stop.pc)) {
          throw new EngineError(
            'machine/scenario',
            `The scenario stopped at ${hex64(stop.pc)}: ${stop.reason}.`,
            { pc: stop.pc },
          );
        }
        helperCalls++;
        this.helper();
        continue;
      }
      const length = machine.pc - before;
      if (entries.has(machine.pc) && length !== 2n && length !== 4n) tailCalls++;
      const sp = machine.getRegister(REG.sp);
      if (sp < lowest) lowest = sp;
    }
    throw new EngineError('machine/scenario', `The scenario has not ended after ${LIMIT} instructions.`);
  }

  /** Any pc outside the images is a helper. */
  private isHelper(reason: string, pc: bigint): boolean {
    return reason === 'fault' && this.machine.memory.regionAt(pc) === undefined;
  }

  private helper(): void {
    const { machine } = this;
    const ra = machine.getRegister(REG.ra);
    for (const register of CALLER_SAVED) machine.setRegister(register, helperPoison(register));
    machine.setRegister(REG.ra, ra);
    machine.setRegister(REG.a0, 0n);
    machine.pc = ra;
  }
}
