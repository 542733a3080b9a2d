import { EngineError } from '../base/errors';
import { hex64 } from '../base/hex';
import { u64 } from '../base/u64';
import { CALLBACK_HELPERS, SCRATCH, type CallbackHelper, type CallbackStep } from './helpers/callback';
import type { HelperWorld } from './helpers/call';
import { HELPER_FUNCTIONS, helperByName, helperIdOf } from './helpers/registry';
import { CALLER_SAVED, helperPoison, REG } from './task';
import type { KernelEvent, TrapOutcome } from './types';

/** Words of a callback helper's frame beside its locals and scratch: saved fp and ra, at the top as every C function has them. */
const FRAME_WORDS = 2;
const SCRATCH_BYTES = 16;
const ARGUMENTS = 5;

/** Records a finished helper call and hands the event back if it is kept; `pc` is the address that the call returns to. */
export type HelperLog = (
  name: string,
  id: number,
  pc: bigint,
  args: readonly bigint[],
  result: bigint,
) => KernelEvent | undefined;

/**
 * What happens when the machine stands in kernel text: helpers run here, in one go, on registers and memory. A helper that calls
 * back keeps its state in a frame on the kernel stack and is gone on with when the callback returns to its trap.
 */
export class Traps {
  private readonly functions = new Map<bigint, string>();
  private readonly returns = new Map<bigint, string>();

  constructor(
    private readonly world: HelperWorld,
    private readonly log: HelperLog,
  ) {
    const { symbols } = world.env;
    for (const name of HELPER_FUNCTIONS) this.functions.set(symbols.address(name), name);
    for (const name of Object.keys(CALLBACK_HELPERS)) this.returns.set(symbols.returnPoint(name), name);
  }

  /** Handles a trap at pc, but for the end of a run. */
  handle(pc: bigint): TrapOutcome {
    const name = this.functions.get(pc);
    try {
      if (name !== undefined) return this.call(name, pc);
      const resumed = this.returns.get(pc);
      if (resumed !== undefined) return this.resume(resumed, CALLBACK_HELPERS[resumed]!);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      return { kind: 'unknown', pc, message: `${name ?? 'A helper'} could not go on: ${error.message}` };
    }
    const symbol = this.world.env.symbols.at(pc);
    const where = symbol ? `${symbol.name}+0x${symbol.offset.toString(16)}` : hex64(pc);
    return {
      kind: 'unknown',
      pc,
      message: `Execution reached ${where} in kernel text, where no function begins that Hartbeat models.`,
    };
  }

  private call(name: string, pc: bigint): TrapOutcome {
    const callback = Object.hasOwn(CALLBACK_HELPERS, name) ? CALLBACK_HELPERS[name] : undefined;
    if (callback) return this.beginCallback(name, callback);
    const helper = helperByName(name);
    if (!helper) {
      return {
        kind: 'unknown',
        pc,
        message: `${name} is a helper that Hartbeat does not model yet; the program cannot go on past this call.`,
      };
    }
    const args = this.arguments();
    const ra = this.world.env.machine.getRegister(REG.ra);
    const result = u64(helper(this.world, args));
    this.returnTo(ra, result);
    return this.ended(name, ra, args, result);
  }

  private ended(name: string, ra: bigint, args: readonly bigint[], result: bigint): TrapOutcome {
    const event = this.log(name, helperIdOf(name), ra, args, result);
    return event ? { kind: 'continue', helper: name, event } : { kind: 'continue', helper: name };
  }

  private arguments(): [bigint, bigint, bigint, bigint, bigint] {
    const register = (i: number): bigint => this.world.env.machine.getRegister(REG.a0 + i);
    return [register(0), register(1), register(2), register(3), register(4)];
  }

  /** Every caller-saved register is clobbered, a6 included; the result is in a0. */
  private returnTo(address: bigint, result: bigint): void {
    const { machine } = this.world.env;
    for (const register of CALLER_SAVED) machine.setRegister(register, helperPoison(register));
    machine.setRegister(REG.a0, result);
    machine.pc = address;
  }

  private beginCallback(name: string, helper: CallbackHelper): TrapOutcome {
    const { machine, memory } = this.world.env;
    const args = this.arguments();
    const ra = machine.getRegister(REG.ra);
    const step = helper.begin(this.world, args);
    if (step.kind === 'return') {
      this.returnTo(ra, u64(step.value));
      return this.ended(name, ra, args, u64(step.value));
    }
    const size = frameSize(helper);
    const sp = machine.getRegister(REG.sp) - BigInt(size);
    memory.writeU64(sp + BigInt(size - 8), ra);
    memory.writeU64(sp + BigInt(size - 16), machine.getRegister(REG.fp));
    args.forEach((value, i) => memory.writeU64(argumentsAt(helper, sp) + BigInt(8 * i), value));
    machine.setRegister(REG.sp, sp);
    machine.setRegister(REG.fp, sp + BigInt(size));
    this.callBack(name, helper, sp, step);
    return { kind: 'continue' };
  }

  private callBack(
    name: string,
    helper: CallbackHelper,
    sp: bigint,
    step: CallbackStep & { kind: 'call' },
  ): void {
    const { machine, memory, symbols } = this.world.env;
    const scratch = sp + BigInt(8 * helper.locals);
    step.locals.forEach((value, i) => memory.writeU64(sp + BigInt(8 * i), u64(value)));
    if (step.scratch) memory.write(scratch, step.scratch.subarray(0, SCRATCH_BYTES));
    for (const register of CALLER_SAVED) machine.setRegister(register, helperPoison(register));
    // The kernel passes zeros for the arguments that the callback does not take.
    for (let i = 0; i < ARGUMENTS; i++) {
      const value = step.args[i] ?? 0n;
      machine.setRegister(REG.a0 + i, value === SCRATCH ? scratch : value);
    }
    machine.setRegister(REG.ra, symbols.returnPoint(name));
    machine.pc = step.function;
  }

  private resume(name: string, helper: CallbackHelper): TrapOutcome {
    const { machine, memory } = this.world.env;
    const sp = machine.getRegister(REG.sp);
    const words = (at: bigint, count: number): bigint[] =>
      Array.from({ length: count }, (_, i) => memory.readU64(at + BigInt(8 * i)));
    const step = helper.resume(this.world, words(sp, helper.locals), machine.getRegister(REG.a0));
    if (step.kind === 'call') {
      this.callBack(name, helper, sp, step);
      return { kind: 'continue' };
    }
    const size = frameSize(helper);
    const args = words(argumentsAt(helper, sp), ARGUMENTS);
    machine.setRegister(REG.fp, memory.readU64(sp + BigInt(size - 16)));
    machine.setRegister(REG.sp, sp + BigInt(size));
    const ra = memory.readU64(sp + BigInt(size - 8));
    this.returnTo(ra, u64(step.value));
    return this.ended(name, ra, args, u64(step.value));
  }
}

/** Where the frame keeps the helper's own arguments, for the record of the call. */
const argumentsAt = (helper: CallbackHelper, sp: bigint): bigint =>
  sp + BigInt(8 * helper.locals + SCRATCH_BYTES);

/** Bytes, a multiple of 16: locals, scratch, arguments, padding, fp, ra. */
const frameSize = (helper: CallbackHelper): number =>
  Math.ceil((8 * (helper.locals + ARGUMENTS + FRAME_WORDS) + SCRATCH_BYTES) / 16) * 16;
