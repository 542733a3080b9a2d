import { decodeInsns } from '../../engine/bpf/bytes';
import type { BpfInsn } from '../../engine/bpf/insn';
import { printInsn } from '../../engine/bpf/print';
import { slotAt, why } from '../../engine/jit/lookup';
import { POKE_BYTES, pokeText } from '../../engine/jit/textpoke';
import type { Trampoline } from '../../engine/jit/trampoline/trampoline';
import type { JitFunction } from '../../engine/jit/types';
import type { MachineMemory } from '../../engine/machine/types';
import { decode } from '../../engine/rv64/decode';
import type { KernelFacts } from './facts';
import type { Fields } from './fields';
import { REASON } from './kernel-images';
import { compileRecorded, incomparable } from './recorded-function';
import type { RecordCheck } from './report';
import type { Trace, TraceStep } from './trace-record';

const PAGE_BYTES = 4096;
const PAGE = BigInt(PAGE_BYTES);

/** A function as it lies in memory. */
export interface JitedFunction {
  readonly base: bigint;
  readonly image: Uint8Array;
  readonly insns: readonly BpfInsn[];
  /** Our JIT's record; undefined where the image is the recorded one. */
  readonly fn?: JitFunction;
}

/**
 * The functions of a recorded load, made by our JIT at the recorded addresses, so that a trace tests JIT and machine together.
 * Where the record lacks an input of the JIT the recorded image is taken, and counted as left out.
 */
export function functionsOfLoad(check: RecordCheck, load: Fields, facts: KernelFacts): JitedFunction[] {
  if (!load.has('funcs')) return [];
  const name = load.text('name');
  const recorded = load.objects('funcs');
  let start = 0;
  return recorded.map((func, index) => {
    const insns = decodeInsns(func.has('jit_insns') ? func.bytes('jit_insns') : load.bytes('xlated'));
    const place = { name, index, start, isFunc: recorded.length > 1 };
    start += insns.length;
    const base = func.address('addr');
    const reason = incomparable(func, insns);
    if (reason !== undefined) {
      check.leaveOut(`image taken from the record (${REASON[reason]})`);
      return { base, insns, image: func.bytes('image') };
    }
    const fn = compileRecorded(func, insns, place, facts);
    return { base, insns, image: fn.image, fn };
  });
}

/** The function that covers an address. */
export function functionAt(functions: readonly JitedFunction[], address: bigint): JitedFunction | undefined {
  return functions.find(({ base, image }) => address >= base && address < base + BigInt(image.length));
}

/** The BPF code in memory during a trace. */
export class TraceCode {
  constructor(
    private readonly memory: MachineMemory,
    private readonly functions: readonly JitedFunction[],
    private readonly trampolines: readonly Trampoline[],
  ) {}

  /**
   * Puts all code into memory: the functions, the patched entries that the trace shows, and what else it executes.
   * @returns how many of its instructions belong to nothing that our JIT made
   */
  place(trace: Trace): number {
    for (const { base, image } of this.functions) this.write(base, image);
    for (const { address, image } of this.trampolines) this.write(address, image);
    let foreign = 0;
    trace.steps.forEach((step, i) => {
      const fn = functionAt(this.functions, step.pc);
      if (step.pc === fn?.base) this.placePoke(trace, i);
      if (fn || this.trampolineAt(step.pc)) return;
      foreign++;
      this.write(step.pc, step.bytes);
    });
    return foreign;
  }

  private trampolineAt(at: bigint): Trampoline | undefined {
    return this.trampolines.find(
      ({ address, image }) => at >= address && at < address + BigInt(image.length),
    );
  }

  /** The BPF instruction whose code covers an address, as a sentence's beginning. */
  describe(address: bigint): string {
    const found = functionAt(this.functions, address);
    if (!found) {
      const trampoline = this.trampolineAt(address);
      const rule = trampoline && why(trampoline, Number(address - trampoline.address))?.rule;
      return rule === undefined ? 'in code taken from the trace' : `in a trampoline, made by ${rule}`;
    }
    const { fn, insns } = found;
    if (!fn) return 'in a function whose image is the recorded one';
    const slot = slotAt(fn, Number(address - fn.base));
    if (slot === undefined) return `in the frame code of ${fn.name}`;
    return `in ${fn.name}, BPF instruction ${fn.start + slot}: ${printInsn(insns, slot)}`;
  }

  /** Where the trace enters by two instructions other than nops, text poke wrote them: ours writes the same jump. */
  private placePoke(trace: Trace, index: number): void {
    const [first, second] = trace.steps.slice(index, index + 2);
    if (!first || !second || second.pc !== first.pc + 4n || insnOf(first)?.base.mnemonic !== 'auipc') return;
    const target = second.leaves?.target ?? trace.steps[index + 2]?.pc ?? trace.exit?.pc;
    if (target === undefined) return;
    const kind = insnOf(second)?.rd === 0 ? 'jump' : 'call';
    this.write(first.pc, pokeText(first.pc, { kind, target }).subarray(0, POKE_BYTES));
  }

  private write(address: bigint, bytes: Uint8Array): void {
    const end = address + BigInt(bytes.length);
    for (let base = address - (address % PAGE); base < end; base += PAGE) {
      if (this.memory.regionAt(base)) continue;
      const permissions = { r: true, w: false, x: true };
      this.memory.map({ name: 'BPF code', base, size: PAGE_BYTES, permissions });
    }
    this.memory.write(address, bytes);
  }
}

/** The instruction of a step as recorded. */
export const insnOf = ({ bytes }: TraceStep): ReturnType<typeof decode> =>
  decode(bytes.reduceRight((word, byte) => word * 256 + byte, 0));
