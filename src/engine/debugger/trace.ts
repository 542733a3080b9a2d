import { u64 } from '../base/u64';
import type { Machine } from '../machine/types';
import type { DecodedInsn } from '../rv64/decode';
import { REG } from '../rv64/registers';
import type { Arrival } from './arrivals';
import type { CodeFunction } from './code-index';
import { nativeText } from './locations';
import type { Session } from './session';

/** One native instruction that has been executed, with what it changed. */
export interface TraceStep {
  /** Instructions executed before this one. */
  readonly number: number;
  readonly pc: bigint;
  readonly code: CodeFunction | undefined;
  /** Bytes from the image's first byte. */
  readonly offset: number;
  readonly text: string;
  /** Registers by number that have a new value; after a call those that the kernel function changed come with the call. */
  readonly registers: readonly (readonly [register: number, value: bigint])[];
  readonly memory: { readonly address: bigint; readonly bytes: Uint8Array } | undefined;
  /** Cycles spent when it was done; null without a timing profile. */
  readonly cycle: number | null;
  /** What the machine came to behind it: calls into the kernel, tail calls. */
  readonly arrivals: readonly Arrival[];
}

/**
 * Executes a session to its end and yields every native instruction as it is executed. A call into the kernel belongs to
 * the instruction that made it.
 */
export function* traceSession(session: Session): Generator<TraceStep, void> {
  const { machine } = session.execution;
  let registers = machine.registers();
  while (session.canGoOn) {
    const { pc } = machine;
    const number = Number(machine.instructions);
    const code = session.index.at(pc);
    const offset = code ? code.offsetOf(pc) : 0;
    const insn = code?.map.nativeAt(offset)?.insn;
    const write = insn && writeOf(insn, registers);
    const arrivals = [...session.tick()];
    while (session.canGoOn && session.execution.inKernel) arrivals.push(...session.tick());
    const before = registers;
    registers = machine.registers();
    const { cycles } = machine.counters();
    yield {
      number,
      pc,
      code,
      offset,
      text: code ? nativeText(session.execution.kernel, code, offset) : '(no instruction)',
      registers: changes(before, registers),
      memory: write && written(machine, insn, write, registers),
      cycle: cycles === null ? null : Number(cycles),
      arrivals,
    };
  }
}

function changes(before: BigUint64Array, after: BigUint64Array): (readonly [number, bigint])[] {
  const found: (readonly [number, bigint])[] = [];
  after.forEach((value, register) => {
    if (value !== before[register]) found.push([register, value]);
  });
  return found;
}

interface Write {
  readonly address: bigint;
  /** Bytes */
  readonly size: number;
}

const STORE_BYTES: Readonly<Record<string, number>> = { sb: 1, sh: 2, sw: 4, sd: 8 };

/** Where a store or atomic instruction writes, if it does. */
function writeOf(insn: DecodedInsn, registers: BigUint64Array): Write | undefined {
  const { mnemonic } = insn.base;
  const size =
    STORE_BYTES[mnemonic] ?? (/^(amo|sc\.)/.test(mnemonic) ? (mnemonic.endsWith('.d') ? 8 : 4) : 0);
  if (size === 0) return undefined;
  const offset = mnemonic in STORE_BYTES ? BigInt(insn.imm) : 0n;
  return { address: u64(registers[insn.rs1]! + offset), size };
}

function written(
  machine: Machine,
  insn: DecodedInsn | undefined,
  { address, size }: Write,
  after: BigUint64Array,
): TraceStep['memory'] {
  // A store-conditional that failed has written nothing.
  if (insn?.base.mnemonic.startsWith('sc.') && insn.rd !== REG.zero && after[insn.rd] !== 0n)
    return undefined;
  const bytes = machine.memory.tryRead(address, size);
  return bytes && { address, bytes };
}
