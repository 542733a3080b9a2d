import { helperName } from '../../bpf/helpers';
import type { BpfInsn } from '../../bpf/insn';
import { MAP_TYPE, mapTypeName } from '../../loader/map-types';
import { runCallback } from './callbacks';
import type { VerifierEnv } from './env';
import { checkArguments, type CallFacts } from './helper-args';
import { HELPER, helperProto, type HelperProto } from './helper-protos';
import { accessMemory } from './memory';
import { markPrecise } from './precision';
import { LIVE_WRITTEN, NOT_A_SUBREG } from './reg';
import { sync, UNKNOWN, type Draft } from './scalar';

/** Registers that a call does not preserve. */
const CALLER_SAVED = [0, 1, 2, 3, 4, 5];
const MAX_ERRNO = 4095n;

/** Follows a call of a helper (check_helper_call). */
export function walkHelperCall(env: VerifierEnv, insn: BpfInsn): void {
  const id = insn.imm;
  const proto = helperProto(id);
  if (!proto) env.refuse('helper', `there is no helper function with number ${id}`);
  const facts = checkArguments(env, proto);
  checkMapFits(env, id, facts);
  recordMap(env, id, facts);
  recordKey(env, id, facts);
  if (facts.filled) {
    // byte by byte, as if the helper had stored something there
    const { register, size } = facts.filled;
    for (let i = 0; i < size; i++) {
      accessMemory(env, { base: register, off: i, size: 1, write: true, value: undefined, signed: false });
    }
  }
  if (proto.releases) release(env, facts.releasedId);
  runCallback(env, id, facts);
  const counted = facts.largestSize;
  clobberCallerSaved(env);
  setResult(env, id, proto, facts, counted);
  if (proto.changesPacket) forgetPackets(env);
}

/** After a call r0 to r5 hold nothing; the caller of this sets r0. */
export function clobberCallerSaved(env: VerifierEnv): void {
  for (const number of CALLER_SAVED) {
    const reg = env.frame.reg(number);
    reg.setUninit();
    reg.live |= LIVE_WRITTEN;
    // a call defines the low half only, as far as is known; helpers and functions say otherwise
    reg.subregDef = number === 0 ? env.insn + 1 : NOT_A_SUBREG;
  }
}

function setResult(
  env: VerifierEnv,
  id: number,
  proto: HelperProto,
  facts: CallFacts,
  largest: bigint | undefined,
): void {
  const r0 = env.frame.reg(0);
  r0.subregDef = NOT_A_SUBREG;
  switch (proto.returns) {
    case 'int':
      r0.setUnknown();
      refineResult(env, id, largest);
      break;
    case 'void':
      r0.setUninit();
      return;
    case 'value':
      r0.setPointer('map-value');
      r0.map = facts.map;
      break;
    case 'mem':
      r0.setPointer('mem');
      r0.memSize = facts.allocated;
      break;
    case 'mem-or-btf':
      r0.setPointer('btf');
      return;
    case 'btf':
      r0.setPointer(proto.returnsNull ? 'btf' : 'trusted-btf');
      return;
    default:
      r0.setPointer(proto.returns);
      break;
  }
  if (proto.returnsNull && !(id === HELPER.MAP_LOOKUP && facts.keyFound)) {
    r0.orNull = true;
    r0.id = env.newId();
  }
  if (proto.acquires) {
    r0.id = env.newId();
    r0.refId = r0.id;
    env.state.refs.push({ id: r0.id, insn: env.insn });
  }
}

/** Results that cannot be larger than what was asked for (do_refine_retval_range). */
function refineResult(env: VerifierEnv, id: number, largest: bigint | undefined): void {
  const r0 = env.frame.reg(0);
  const limited: readonly number[] = [
    HELPER.GET_STACK,
    HELPER.GET_TASK_STACK,
    HELPER.PROBE_READ_STR,
    HELPER.PROBE_READ_KERNEL_STR,
    HELPER.PROBE_READ_USER_STR,
  ];
  const d: Draft = { ...UNKNOWN };
  if (limited.includes(id) && largest !== undefined) {
    d.smax = largest;
    d.smin = -MAX_ERRNO;
    d.s32max = Number(BigInt.asIntN(32, largest));
    d.s32min = -Number(MAX_ERRNO);
  } else if (id === HELPER.GET_SMP_PROCESSOR_ID) {
    const last = (env.port.cpus ?? env.facts.cpus) - 1;
    d.umax = BigInt(last);
    d.umin = 0n;
    d.u32max = last;
    d.smin = 0n;
    d.smax = BigInt(last);
    d.s32min = 0;
    d.s32max = last;
  } else {
    return;
  }
  r0.value = sync(d, env.arithmetic);
}

/** A helper may have moved the packet: what was known of it is gone (clear_all_pkt_pointers). */
export function forgetPackets(env: VerifierEnv): void {
  for (const reg of env.state.values()) {
    if (!reg.isPacketOrEnd) continue;
    const { subregDef } = reg;
    reg.setUninit();
    reg.subregDef = subregDef;
  }
}

/** All copies of a released pointer become worthless (release_reference). */
function release(env: VerifierEnv, id: number): void {
  if (id === 0) return;
  if (!env.state.refs.some((ref) => ref.id === id)) {
    env.refuse(
      'reference',
      `${helperName(env.insnAt(env.insn).imm) ?? 'the helper'} releases something that was not acquired`,
    );
  }
  env.state.refs = env.state.refs.filter((ref) => ref.id !== id);
  for (const reg of env.state.values()) if (reg.refId === id) reg.setUninit();
}

/** Helpers that work on one kind of map only (check_map_func_compatibility, in part). */
function checkMapFits(env: VerifierEnv, id: number, { map }: CallFacts): void {
  if (!map) return;
  if (id === HELPER.TAIL_CALL && map.type !== MAP_TYPE.PROG_ARRAY) {
    env.refuse(
      'map',
      `tail calls go through maps of type prog_array, but ${map.name} is a ${mapTypeName(map.type)}`,
    );
  }
  if (map.type === MAP_TYPE.PROG_ARRAY && id !== HELPER.TAIL_CALL) {
    env.refuse('map', `${map.name} is a prog_array; programs can only tail call through it`);
  }
}

const MAP_HELPERS: readonly number[] = [
  HELPER.TAIL_CALL,
  HELPER.MAP_LOOKUP,
  HELPER.MAP_UPDATE,
  HELPER.MAP_DELETE,
  HELPER.MAP_PUSH,
  HELPER.MAP_POP,
  HELPER.MAP_PEEK,
  HELPER.FOR_EACH_MAP_ELEM,
  HELPER.REDIRECT_MAP,
  HELPER.MAP_LOOKUP_PERCPU,
];
/** BPF_F_RDONLY_PROG */
const MAP_READ_ONLY = 1 << 7;

/** Notes which map the call uses, so that it can be rewritten for it (record_func_map). */
function recordMap(env: VerifierEnv, id: number, { map }: CallFacts): void {
  if (!MAP_HELPERS.includes(id)) return;
  if (!map) env.refuse('argument', 'the call has no map');
  const writes: readonly number[] = [HELPER.MAP_DELETE, HELPER.MAP_UPDATE, HELPER.MAP_PUSH, HELPER.MAP_POP];
  if ((map.flags & MAP_READ_ONLY) !== 0 && writes.includes(id))
    env.refuse('access', `the map ${map.name} is read only`);
  const aux = env.auxAt(env.insn);
  if (!aux.map) aux.map = { kind: 'one', map };
  else if (aux.map.kind === 'one' && aux.map.map !== map) aux.map = { kind: 'several' };
}

/** Notes the constant index of a tail call (record_func_key). */
function recordKey(env: VerifierEnv, id: number, { map }: CallFacts): void {
  if (id !== HELPER.TAIL_CALL) return;
  const aux = env.auxAt(env.insn);
  const index = env.frame.reg(3);
  const constant = index.isScalar && index.value.bits.mask === 0n;
  if (!constant || index.value.bits.value >= BigInt(map!.maxEntries)) {
    aux.key = { kind: 'several' };
    return;
  }
  markPrecise(env, 3);
  const key = Number(index.value.bits.value);
  if (!aux.key) aux.key = { kind: 'one', key };
  else if (aux.key.kind === 'one' && aux.key.key !== key) aux.key = { kind: 'several' };
}
