import { BPF_JMP_OP } from '../../bpf/insn';
import { flipped } from './compare';
import type { VerifierEnv } from './env';
import { AT_PACKET_END, BEYOND_PACKET_END, type RegState } from './reg';
import type { VerifierState } from './state';

/** Largest offset into a packet (MAX_PACKET_OFF). */
const MAX_PACKET_OFFSET = 0xffff;

/** What an earlier comparison with the end tells of a later one (is_pkt_ptr_branch_taken). */
export function decidePacketComparison(op: number, a: RegState, b: RegState): boolean | undefined {
  const [packet, way] =
    b.type === 'packet-end' ? [a, op] : a.type === 'packet-end' ? [b, flipped(op)] : [undefined, op];
  if (!packet || packet.range >= 0) return undefined;
  switch (way) {
    case BPF_JMP_OP.JLE:
      return packet.range === BEYOND_PACKET_END ? false : undefined;
    case BPF_JMP_OP.JGT:
      return packet.range === BEYOND_PACKET_END ? true : undefined;
    case BPF_JMP_OP.JLT:
      return packet.range === BEYOND_PACKET_END || packet.range === AT_PACKET_END ? false : undefined;
    case BPF_JMP_OP.JGE:
      return packet.range === BEYOND_PACKET_END || packet.range === AT_PACKET_END ? true : undefined;
    default:
      return undefined;
  }
}

interface Comparison {
  readonly dst: RegState;
  readonly src: RegState;
  /** Register numbers of the two. */
  readonly dstNumber: number;
  readonly srcNumber: number;
  readonly other: VerifierState;
}

/**
 * Packet data compared with its end, or meta data with packet data, tells how many bytes are there (try_match_pkt_pointers).
 * @returns whether it was such a comparison
 */
export function matchPacketPointers(env: VerifierEnv, op: number, comparison: Comparison): boolean {
  const { dst, src, dstNumber, srcNumber, other } = comparison;
  const forward = endsData(dst, src);
  if (!forward && !endsData(src, dst)) return false;
  const data = forward ? dst : src;
  const number = forward ? dstNumber : srcNumber;
  const here = env.state;
  // as `data op end`; the other way is the one that jumps
  switch (forward ? op : flipped(op)) {
    case BPF_JMP_OP.JGT:
      findGood(here, data, false);
      markAtEnd(other, number, BEYOND_PACKET_END);
      return true;
    case BPF_JMP_OP.JLT:
      findGood(other, data, true);
      markAtEnd(here, number, AT_PACKET_END);
      return true;
    case BPF_JMP_OP.JGE:
      findGood(here, data, true);
      markAtEnd(other, number, AT_PACKET_END);
      return true;
    case BPF_JMP_OP.JLE:
      findGood(other, data, false);
      markAtEnd(here, number, BEYOND_PACKET_END);
      return true;
    default:
      return false;
  }
}

/** `data` is packet data and `end` its end, or meta data and the start of the packet. */
const endsData = (data: RegState, end: RegState): boolean =>
  (data.type === 'packet' && end.type === 'packet-end') ||
  (data.type === 'packet-meta' && isPacketStart(end));

/** The start of the packet itself: packet pointer without any offset. */
const isPacketStart = (reg: RegState): boolean =>
  reg.type === 'packet' && reg.off === 0 && reg.value.bits.mask === 0n && reg.value.bits.value === 0n;

/**
 * On this path the bytes up to the pointer's fixed offset (and that one, if `andOne`) are there; so they are for all
 * pointers with the same variable part (find_good_pkt_pointers).
 */
function findGood(state: VerifierState, data: RegState, andOne: boolean): void {
  const { type, id, off } = data;
  if (off < 0 || (off === 0 && andOne)) return;
  if (data.value.umax + BigInt(off) > BigInt(MAX_PACKET_OFFSET)) return;
  const range = andOne ? off + 1 : off;
  for (const reg of state.values()) {
    if (reg.type === type && reg.id === id) reg.range = Math.max(reg.range, range);
  }
}

/** On this path the pointer in this register is at or past the end (mark_pkt_end). */
function markAtEnd(state: VerifierState, number: number, range: number): void {
  const reg = state.frame.reg(number);
  if (reg.type === 'packet') reg.range = range;
}
