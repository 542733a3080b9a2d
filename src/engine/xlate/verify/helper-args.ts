import { PROG } from '../context';
import type { XlateMap } from '../types';
import { keyIsAlwaysFound } from './constant-keys';
import type { VerifierEnv } from './env';
import type { HelperArg, HelperProto } from './helper-protos';
import { accessMemory, describe, packetRegion, region } from './memory';
import { readRegister } from './liveness';
import { markPrecise } from './precision';
import type { RegState, RegType } from './reg';
import { isConst } from './scalar';
import { frameOf, MAX_VARIABLE_OFFSET, stackBounds, touchForHelper } from './stack-access';

/** What the arguments of one helper call tell (struct bpf_call_arg_meta). */
export interface CallFacts {
  map: XlateMap | undefined;
  /** The map has the key for certain, so that a lookup gives no NULL. */
  keyFound: boolean;
  /** The function that a callback argument names. */
  callback: number | undefined;
  /** Largest length that the call passes; an upper bound of some results. */
  largestSize: bigint | undefined;
  /** Bytes that the helper allocates. */
  allocated: number;
  /** The resource that the call releases. */
  releasedId: number;
  /** Stack bytes that the helper fills without reading them: register with the pointer, and bytes. */
  filled: { readonly register: number; readonly size: number } | undefined;
}

/** Reads and checks the arguments of a helper (check_func_arg for each). */
export function checkArguments(env: VerifierEnv, proto: HelperProto): CallFacts {
  const facts: CallFacts = {
    map: undefined,
    keyFound: false,
    callback: undefined,
    largestSize: undefined,
    allocated: 0,
    releasedId: 0,
    filled: undefined,
  };
  proto.args.forEach((arg, i) => {
    const register = i + 1;
    const reg = readRegister(env, register);
    if (arg.orNull && reg.isNull) return;
    checkArgument(env, arg, proto.args[i - 1], register, reg, facts, proto);
  });
  return facts;
}

function checkArgument(
  env: VerifierEnv,
  arg: HelperArg,
  before: HelperArg | undefined,
  register: number,
  reg: RegState,
  facts: CallFacts,
  proto: HelperProto,
): void {
  const wants = (what: string): never =>
    env.refuse(
      'argument',
      `r${register} is ${reg.orNull ? 'possibly NULL' : describe(reg)}, but the helper takes ${what}`,
    );
  switch (arg.kind) {
    case 'any':
      return;
    case 'ctx':
      if (reg.type !== 'ctx' && !isKernelObject(reg.type)) wants('the context');
      if (reg.off !== 0) wants('the context pointer unchanged');
      return;
    case 'map':
      if (reg.type !== 'map') wants('a map');
      facts.map = reg.map;
      return;
    case 'key':
      if (!facts.map) wants('a map before the key');
      helperMemory(env, register, facts.map!.keySize, false, false, false, facts);
      facts.keyFound = keyIsAlwaysFound(env, facts.map!, register);
      return;
    case 'value':
      if (!facts.map) wants('a map before the value');
      return helperMemory(env, register, facts.map!.valueSize, false, arg.write, arg.write, facts);
    case 'mem':
      if (arg.bytes > 0) helperMemory(env, register, arg.bytes, false, arg.write, arg.write, facts);
      else if (!canBeMemory(reg)) wants('a pointer to memory');
      return;
    case 'size':
      return sizeArgument(env, arg, before, register, reg, facts);
    case 'alloc':
      if (!reg.isScalar || !isConst(reg.value)) wants('a constant size');
      facts.allocated = Number(reg.value.bits.value);
      markPrecise(env, register);
      return;
    case 'func':
      if (reg.type !== 'func') wants('a function of the program');
      facts.callback = reg.func;
      return;
    case 'callback-ctx':
      if (reg.type !== 'stack') wants('a pointer to the stack, or NULL');
      return;
    case 'lock':
    case 'timer':
      if (reg.type !== 'map-value') wants(`a ${arg.kind} in a value of a map`);
      if (!isConst(reg.value)) wants(`a ${arg.kind} at a constant offset`);
      facts.map ??= reg.map;
      return;
    case 'sock':
      if (!['socket', 'sock-common', 'tcp-sock', 'btf', 'trusted-btf'].includes(reg.type) || reg.orNull)
        wants('a socket');
      if (proto.releases) facts.releasedId = reg.refId;
      return;
    case 'btf':
      if (!['btf', 'trusted-btf', 'socket', 'sock-common', 'tcp-sock', 'ctx'].includes(reg.type))
        wants('a kernel object');
      return;
    case 'string':
      if (reg.type !== 'map-value' || reg.map?.frozen === undefined)
        wants('a constant string in a read-only map');
      return;
    case 'sample':
      if (reg.type !== 'mem' || reg.refId === 0) wants('memory that bpf_ringbuf_reserve gave');
      facts.releasedId = reg.refId;
      return;
    case 'dynptr':
      return env.refuse('unsupported', 'dynptrs are not supported yet');
  }
}

const MEMORY_TYPES: readonly string[] = [
  'stack',
  'packet',
  'packet-meta',
  'map-key',
  'map-value',
  'mem',
  'ctx',
  'btf',
  'trusted-btf',
];
const isKernelObject = (type: RegType): boolean => type === 'btf' || type === 'trusted-btf';
const canBeMemory = (reg: RegState): boolean =>
  (MEMORY_TYPES.includes(reg.type) && (!reg.orNull || reg.untestedAllowed)) || reg.isNull;

/** A length, which also says how much of the memory in the argument before it is used (check_mem_size_reg). */
function sizeArgument(
  env: VerifierEnv,
  arg: HelperArg,
  before: HelperArg | undefined,
  register: number,
  reg: RegState,
  facts: CallFacts,
): void {
  if (!reg.isScalar)
    env.refuse('argument', `r${register} is ${describe(reg)}, but the helper takes a length`);
  facts.largestSize = reg.value.umax;
  if (reg.value.smin < 0n) {
    env.refuse('argument', `the length in r${register} may be negative; mask it or test it first`);
  }
  if (reg.value.umin === 0n && !arg.zero)
    env.refuse('argument', `the length in r${register} may be 0, which this helper does not take`);
  if (reg.value.umax >= MAX_VARIABLE_OFFSET) {
    env.refuse('argument', `the length in r${register} is not bounded; mask it or test it first`);
  }
  const write = before?.write === true;
  const fills = write && isConst(reg.value);
  helperMemory(env, register - 1, Number(reg.value.umax), arg.zero, write, fills, facts);
  markPrecise(env, register);
}

/**
 * Memory of `size` bytes that a helper reads or writes (check_helper_mem_access). With `fills` the helper fills all of it
 * without reading, so that it need not be initialised.
 */
function helperMemory(
  env: VerifierEnv,
  register: number,
  size: number,
  zero: boolean,
  write: boolean,
  fills: boolean,
  facts: CallFacts,
): void {
  const reg = env.frame.reg(register);
  if (reg.orNull && !reg.untestedAllowed)
    env.refuse('null', `r${register} may be NULL here; the program must test it first`);
  switch (reg.type) {
    case 'packet':
    case 'packet-meta':
      if (write) env.writesPacket = true;
      return packetRegion(env, reg, reg.off, size);
    case 'map-key':
      return region(env, reg, reg.off, size, reg.map?.keySize ?? 0, 'the key of the map');
    case 'map-value':
      return region(
        env,
        reg,
        reg.off,
        size,
        reg.map?.valueSize ?? 0,
        `a value of the map ${reg.map?.name ?? ''}`,
      );
    case 'mem':
      return region(env, reg, reg.off, size, reg.memSize, 'the memory');
    case 'btf':
    case 'trusted-btf':
      return;
    case 'stack':
      return helperStack(env, register, reg, size, zero, write, fills, facts);
    case 'ctx':
      return helperContext(env, register, size, zero, write);
    default:
      if (zero && size === 0 && reg.isNull) return;
      env.refuse(
        'argument',
        `r${register} is ${describe(reg)}, but the helper takes a pointer to ${size} bytes of memory`,
      );
  }
}

/** Only programs whose context is plain memory may hand it to helpers as such. */
function helperContext(
  env: VerifierEnv,
  register: number,
  size: number,
  zero: boolean,
  write: boolean,
): void {
  if (env.input.progType !== PROG.SYSCALL) {
    env.refuse('argument', `r${register} is the context, but the helper takes a pointer to memory`);
  }
  if (size === 0) {
    if (!zero) env.refuse('argument', 'a length of 0 is not taken by this helper');
    return;
  }
  accessMemory(env, { base: register, off: size - 1, size: 1, write, value: undefined, signed: false });
}

function helperStack(
  env: VerifierEnv,
  register: number,
  reg: RegState,
  size: number,
  zero: boolean,
  write: boolean,
  fills: boolean,
  facts: CallFacts,
): void {
  if (size === 0 && !zero) env.refuse('argument', 'a length of 0 is not taken by this helper');
  const { min, max } = stackBounds(env, reg, reg.off, size);
  if (fills && isConst(reg.value)) {
    facts.filled = { register, size };
    return;
  }
  const clobber = write || env.facts.helperReadsClobberStack;
  touchForHelper(frameOf(env, reg), min, max + size, clobber);
}
