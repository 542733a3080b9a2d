import { EngineError } from '../../engine/base/errors';
import { hexToBytes } from '../../engine/base/hex';
import { findRegister } from '../../engine/rv64/registers';
import { Fields } from './fields';

/** New values by register number. */
export type RegisterChanges = ReadonlyMap<number, bigint>;

/** A call out of BPF code: the callee ran at full speed. */
export interface LeavingCall {
  /** Address that was called. */
  readonly target: bigint;
  readonly symbol: string;
  /** Where execution came back to. */
  readonly returnTo: bigint;
  /** Registers that the callee changed. */
  readonly changes: RegisterChanges;
}

/** One machine instruction that a kernel executed. */
export interface TraceStep {
  readonly pc: bigint;
  /** The instruction, 2 or 4 bytes. */
  readonly bytes: Uint8Array;
  readonly changes: RegisterChanges;
  readonly leaves?: LeavingCall;
}

/** A single-stepped run of a kernel record. */
export interface Trace {
  readonly entry: bigint;
  /** All registers at the entry, by number. */
  readonly init: RegisterChanges;
  readonly steps: readonly TraceStep[];
  /** Where it went after the last step; undefined in a trace that was cut. */
  readonly exit?: { readonly pc: bigint; readonly a0: bigint };
}

/**
 * Reads the `trace` of a run step.
 * @throws EngineError `usage/vectors` for a trace that is not of the recorded form
 */
export function readTrace(trace: Fields): Trace {
  const cut = trace.has('incomplete');
  const exit = cut && !trace.has('exit') ? undefined : trace.object('exit');
  return {
    entry: trace.address('entry'),
    init: registersOf(trace.object('init')),
    steps: trace.rows('steps').map((row, i) => readStep(row, `${trace.where}.steps[${i}]`)),
    exit: cut || !exit ? undefined : { pc: exit.address('pc'), a0: exit.address('a0') },
  };
}

/** `[pc, instruction bytes, {register: new value}, {call, symbol, return, regs}?]` */
function readStep([pc, bytes, changes, leaves]: readonly unknown[], where: string): TraceStep {
  if (typeof pc !== 'string' || !/^0x[0-9a-f]+$/i.test(pc) || typeof bytes !== 'string') {
    throw new EngineError('usage/vectors', `${where} does not begin with an address and instruction bytes.`, {
      where,
    });
  }
  return {
    pc: BigInt(pc),
    bytes: hexToBytes(bytes),
    changes: registersOf(Fields.of(changes, `${where}[2]`)),
    leaves: leaves === undefined ? undefined : readLeavingCall(Fields.of(leaves, `${where}[3]`)),
  };
}

function readLeavingCall(call: Fields): LeavingCall {
  return {
    target: call.address('call'),
    symbol: call.has('symbol') ? call.text('symbol') : '',
    returnTo: call.address('return'),
    changes: registersOf(call.object('regs')),
  };
}

function registersOf(registers: Fields): RegisterChanges {
  return new Map(
    registers.keys().map((name): [number, bigint] => {
      const number = findRegister(name);
      if (number !== undefined) return [number, registers.address(name)];
      throw new EngineError('usage/vectors', `${registers.where} names the register '${name}'.`, { name });
    }),
  );
}
