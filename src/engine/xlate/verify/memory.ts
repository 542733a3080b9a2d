import type { ContextRules } from '../context';
import { contextRules } from '../contexts';
import { PROG } from '../context';
import { SKB } from '../ctx-skb';
import { SOCKET_RULES, SOCK_COMMON_RULES } from '../ctx-sock';
import type { XlateMap } from '../types';
import type { VerifierEnv } from './env';
import { NOT_A_SUBREG, type RegState, type RegType } from './reg';
import { known, signExtend64, truncate } from './scalar';
import { MAX_VARIABLE_OFFSET, readStack, writeStack } from './stack-access';
import { tnumAdd, tnumConst, tnumIsAligned } from './tnum';

/** One access to memory through a register. */
export interface Access {
  /** Register that holds the pointer. */
  readonly base: number;
  /** The instruction's own offset. */
  readonly off: number;
  /** Bytes */
  readonly size: 1 | 2 | 4 | 8;
  readonly write: boolean;
  /** Register that a load fills or a store takes; undefined for an immediate or for what a helper does. */
  readonly value: number | undefined;
  readonly signed: boolean;
  /** Atomics are refused on what they cannot work on, and are always aligned. */
  readonly atomic?: boolean;
}

/** Bytes that the network stack puts before the Ethernet header so that the IP header is aligned (NET_IP_ALIGN). */
const NET_IP_ALIGN = 2;

/** Checks an access and sets the register that a load fills (check_mem_access). */
export function accessMemory(env: VerifierEnv, access: Access): void {
  const pointer = env.frame.reg(access.base);
  checkAlignment(env, pointer, access);
  const off = access.off + pointer.off;
  if (pointer.orNull && !pointer.untestedAllowed) {
    env.refuse('null', `r${access.base} may be NULL here; the program must test it first`);
  }
  switch (pointer.type) {
    case 'map-key':
      if (access.write) env.refuse('access', 'keys of maps may not be written');
      region(env, pointer, off, access.size, pointer.map?.keySize ?? 0, 'the key of the map');
      loaded(env, access);
      break;
    case 'map-value':
      mapValue(env, pointer, off, access);
      break;
    case 'mem':
      if (access.write && pointer.readOnly) env.refuse('access', 'this memory is read only');
      region(env, pointer, off, access.size, pointer.memSize, 'the memory');
      loaded(env, access);
      break;
    case 'ctx':
      context(env, pointer, off, access);
      break;
    case 'stack':
      if (access.write) writeStack(env, pointer, off, access.size, access.value, env.insn);
      else readStack(env, pointer, off, access.size, access.value);
      break;
    case 'packet':
    case 'packet-meta':
      packet(env, pointer, off, access);
      break;
    case 'socket':
    case 'sock-common':
    case 'tcp-sock':
    case 'xdp-sock':
      socket(env, pointer, off, access);
      break;
    case 'flow-keys':
      if (off < 0 || off + access.size > FLOW_KEYS_BYTES)
        env.refuse('access', 'it leaves struct bpf_flow_keys');
      loaded(env, access);
      break;
    case 'btf':
    case 'trusted-btf':
      kernelObject(env, access);
      break;
    default:
      env.refuse('access', `r${access.base} is ${describe(pointer)} and cannot be used as an address here`);
  }
  finishLoad(env, access);
}

/** sizeof(struct bpf_flow_keys) */
const FLOW_KEYS_BYTES = 56;

/** What a register holds, for messages. */
export function describe(reg: RegState): string {
  switch (reg.type) {
    case 'uninit':
      return 'not initialised';
    case 'scalar':
      return 'a number';
    case 'map':
      return `the map ${reg.map?.name ?? ''}`.trim();
    case 'packet-end':
      return 'the end of the packet';
    case 'func':
      return 'the address of a function';
    case 'stack':
      return 'a pointer to the stack';
    default:
      return `a pointer (${reg.type})`;
  }
}

/** Narrow loads give a number of their size (the closing part of check_mem_access). */
function finishLoad(env: VerifierEnv, { size, write, value, signed }: Access): void {
  if (write || value === undefined || size === 8) return;
  const target = env.frame.reg(value);
  if (!target.isScalar) return;
  const before = target.value;
  target.value = signed ? signExtend64(before, size) : truncate(before, size, env.arithmetic);
}

/** The register that the load fills holds some number now. */
function loaded(env: VerifierEnv, { write, value }: Access): void {
  if (!write && value !== undefined) env.frame.reg(value).setUnknown();
}

/** Kernels without unaligned access refuse accesses that are not multiples of their size (check_ptr_alignment). */
function checkAlignment(env: VerifierEnv, pointer: RegState, { off, size, atomic }: Access): void {
  if (size === 1) return;
  // the stack's bookkeeping and atomics need it on every kernel
  if (!env.facts.strictAlignment && pointer.type !== 'stack' && atomic !== true) return;
  if (!pointer.isPointer) return;
  const bias = pointer.isPacket ? NET_IP_ALIGN : 0;
  const total = tnumAdd(pointer.value.bits, tnumConst(BigInt(bias + pointer.off + off)));
  if (tnumIsAligned(total, size)) return;
  const why = pointer.isPacket
    ? `the kernel for riscv64 wants aligned accesses; a packet begins ${NET_IP_ALIGN} bytes past a multiple of 8, so this one of ${size} bytes at offset ${pointer.off + off} is not`
    : `the kernel for riscv64 wants aligned accesses; this one of ${size} bytes at offset ${pointer.off + off} is not`;
  env.refuse('alignment', why);
}

/** An access of `size` bytes at `off` plus the pointer's variable part must lie in `limit` bytes (check_mem_region_access). */
export function region(
  env: VerifierEnv,
  pointer: RegState,
  off: number,
  size: number,
  limit: number,
  what: string,
): void {
  const { smin, umax } = pointer.value;
  const lowest = BigInt(off) + smin;
  if (smin < 0n && lowest < 0n) {
    env.refuse('bounds', `the offset into ${what} may be negative; the program must test it first`);
  }
  const inside = (start: bigint): boolean => start >= 0n && start + BigInt(size) <= BigInt(limit);
  if (!inside(lowest))
    env.refuse('bounds', `${size} bytes at offset ${lowest} leave ${what}, which has ${limit} bytes`);
  if (umax >= MAX_VARIABLE_OFFSET)
    env.refuse('bounds', `the offset into ${what} is not bounded; the program must test it first`);
  const highest = BigInt(off) + umax;
  if (!inside(highest)) {
    env.refuse(
      'bounds',
      `${size} bytes at offset up to ${highest} may leave ${what}, which has ${limit} bytes`,
    );
  }
}

/** BPF_F_RDONLY_PROG and BPF_F_WRONLY_PROG */
const MAP_READ_ONLY = 1 << 7;
const MAP_WRITE_ONLY = 1 << 8;

function mapValue(env: VerifierEnv, pointer: RegState, off: number, access: Access): void {
  const map = pointer.map!;
  if (access.write && (map.flags & MAP_READ_ONLY) !== 0)
    env.refuse('access', `the map ${map.name} is read only`);
  if (!access.write && (map.flags & MAP_WRITE_ONLY) !== 0)
    env.refuse('access', `the map ${map.name} is write only`);
  region(env, pointer, off, access.size, map.valueSize, `a value of the map ${map.name}`);
  if (access.write || access.value === undefined) return;
  const target = env.frame.reg(access.value);
  const constant = frozenValue(pointer, map, off, access);
  if (constant === undefined) target.setUnknown();
  else target.setScalar(known(constant));
}

/** A constant offset into a frozen map gives the bytes that are there (bpf_map_direct_read). */
function frozenValue(pointer: RegState, map: XlateMap, off: number, access: Access): bigint | undefined {
  if (!map.frozen || pointer.value.bits.mask !== 0n || (map.flags & MAP_READ_ONLY) === 0) return undefined;
  const at = off + Number(BigInt.asIntN(64, pointer.value.bits.value));
  if (at < 0 || at + access.size > map.frozen.length) return undefined;
  let value = 0n;
  for (let i = access.size - 1; i >= 0; i--) value = (value << 8n) | BigInt(map.frozen[at + i]!);
  return access.signed ? BigInt.asIntN(access.size * 8, value) : value;
}

function context(env: VerifierEnv, pointer: RegState, off: number, access: Access): void {
  if (access.atomic === true) env.refuse('access', 'atomic operations on the context are not allowed');
  if (pointer.off !== 0)
    env.refuse('context', 'the context pointer was changed before; offsets must stand in the instruction');
  if (pointer.value.bits.mask !== 0n || pointer.value.bits.value !== 0n) {
    env.refuse('context', 'the context is read at an offset that is not constant');
  }
  const rules = contextRules(env.input.progType);
  if (!access.write && env.input.progType === PROG.SCHED_CLS && off === SKB.tstampType)
    env.knowsTimestampType = true;
  fieldAccess(env, rules, off, access);
}

/** An access to a context or socket by the rules of its kind. */
function fieldAccess(env: VerifierEnv, rules: ContextRules, off: number, access: Access): void {
  const field = rules.access({
    off,
    size: access.size,
    write: access.write,
    signed: access.signed,
    attachType: env.input.attachType,
  });
  if (!field) {
    const verb = access.write ? 'written' : 'read';
    env.refuse(
      'context',
      `${access.size} bytes at offset ${off} of ${rules.what} cannot be ${verb} by this type of program`,
    );
  }
  env.auxAt(env.insn).ctxFieldSize = field.fieldSize ?? 0;
  if (access.write || access.value === undefined) return;
  const target = env.frame.reg(access.value);
  if (field.type === 'scalar') {
    target.setUnknown();
    return;
  }
  target.setPointer(field.type);
  if (field.orNull === true) {
    target.orNull = true;
    target.id = env.newId();
  }
  // the load may be of another size than written; a pointer is always a whole
  target.subregDef = NOT_A_SUBREG;
}

function socket(env: VerifierEnv, pointer: RegState, off: number, access: Access): void {
  if (access.write || access.atomic === true) env.refuse('access', 'sockets may not be written');
  if (pointer.value.bits.mask !== 0n || pointer.value.bits.value !== 0n) {
    env.refuse('context', 'the socket is read at an offset that is not constant');
  }
  if (pointer.type === 'tcp-sock' || pointer.type === 'xdp-sock') {
    env.refuse('unsupported', 'reading fields of struct bpf_tcp_sock and bpf_xdp_sock is not supported yet');
  }
  fieldAccess(env, pointer.type === 'socket' ? SOCKET_RULES : SOCK_COMMON_RULES, off, access);
}

/** Program types that may write to packets, and those that need a prologue for it. */
const PACKET_WRITERS: readonly number[] = [PROG.SCHED_CLS, PROG.SCHED_ACT, PROG.XDP, PROG.LWT_XMIT];

function packet(env: VerifierEnv, pointer: RegState, off: number, access: Access): void {
  if (access.atomic === true) env.refuse('access', 'atomic operations on packets are not allowed');
  if (access.write) {
    if (!PACKET_WRITERS.includes(env.input.progType))
      env.refuse('access', 'this type of program may not write to packets');
    env.writesPacket = true;
  }
  packetRegion(env, pointer, off, access.size);
  loaded(env, access);
}

/** Only bytes that a comparison with the end has shown to be there may be used (check_packet_access). */
export function packetRegion(env: VerifierEnv, pointer: RegState, off: number, size: number): void {
  if (pointer.value.smin < 0n) {
    env.refuse('bounds', 'the offset into the packet may be negative; the program must test it first');
  }
  const inside = pointer.range >= 0 && off >= 0 && off + size <= pointer.range;
  if (inside) return;
  env.refuse(
    'packet',
    `${size} bytes at offset ${off} are not known to lie in the packet; compare with data_end first`,
  );
}

/** Loads from kernel objects may fault and are handled; what they give may be a pointer again. */
function kernelObject(env: VerifierEnv, access: Access): void {
  if (access.write || access.atomic === true) env.refuse('access', 'kernel objects may not be written');
  if (access.value === undefined) return;
  const target = env.frame.reg(access.value);
  if (access.size < 8 || access.signed) target.setUnknown();
  else target.setPointer('btf');
}

/** Pointers whose accesses are rewritten: an instruction cannot serve one of them and another kind, too. */
const REWRITTEN: readonly RegType[] = [
  'ctx',
  'socket',
  'sock-common',
  'tcp-sock',
  'xdp-sock',
  'btf',
  'trusted-btf',
];

/** Notes the kind of pointer that an access uses (save_aux_ptr_type). */
export function notePointer(env: VerifierEnv, type: RegType): void {
  const aux = env.auxAt(env.insn);
  if (aux.pointer === undefined) aux.pointer = type;
  // an object that is not surely there on one path needs fault handling on all
  else if (isKernelObject(type) && isKernelObject(aux.pointer))
    aux.pointer = type === 'btf' ? type : aux.pointer;
  else if (aux.pointer !== type && (REWRITTEN.includes(type) || REWRITTEN.includes(aux.pointer))) {
    env.refuse(
      'pointer',
      `the address is a pointer of kind ${type} on one path and ${aux.pointer} on another`,
    );
  }
}

const isKernelObject = (type: RegType): boolean => type === 'btf' || type === 'trusted-btf';
