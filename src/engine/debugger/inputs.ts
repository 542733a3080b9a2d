import { hexToBytes } from '../base/hex';
import type { TestRunInput } from '../kernel/types';
import type { BpfProgType } from '../loader/object';
import { bytesToHex } from '../base/hex';
import type { InputsView } from './views';

/** Program types whose input is a packet (`data_in` of BPF_PROG_TEST_RUN). */
const PACKET_TYPES: ReadonlySet<string> = new Set([
  ...['socket_filter', 'sched_cls', 'sched_act', 'xdp', 'cgroup_skb', 'flow_dissector'],
  ...['lwt_in', 'lwt_out', 'lwt_xmit', 'lwt_seg6local', 'sk_skb', 'sk_msg', 'netfilter'],
]);

/** Bytes of context, by program type, that a program without a packet is given when the user gives none: zeros. */
const CONTEXT_BYTES: Readonly<Record<string, number>> = {
  syscall: 64,
  /** Twelve arguments (MAX_BPF_FUNC_ARGS). */
  raw_tracepoint: 96,
};

/** What a program is given when the user gives nothing: a packet for network programs, zeros for others. */
export function defaultInputs(type: BpfProgType): InputsView {
  if (PACKET_TYPES.has(type.name)) return { data: bytesToHex(udpFrame()) };
  const size = CONTEXT_BYTES[type.name];
  return size === undefined ? {} : { ctx: bytesToHex(new Uint8Array(size)) };
}

/** @throws EngineError `base/hex` for text that is no hex. */
export function testRunInput(inputs: InputsView): TestRunInput {
  return {
    ...(inputs.data !== undefined && { data: hexToBytes(inputs.data) }),
    ...(inputs.ctx !== undefined && { ctx: hexToBytes(inputs.ctx) }),
    ...(inputs.repeat !== undefined && { repeat: inputs.repeat }),
  };
}

/**
 * An Ethernet frame of 64 bytes: IPv4, UDP from 10.0.0.1:12345 to 10.0.0.2:53, with right checksums, between locally
 * administered MAC addresses.
 */
function udpFrame(payload: Uint8Array = new TextEncoder().encode('Hartbeat says hello...')): Uint8Array {
  const ETHERNET = 14;
  const IP = 20;
  const UDP = 8;
  const frame = new Uint8Array(ETHERNET + IP + UDP + payload.length);
  const view = new DataView(frame.buffer);
  frame.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0]);

  const ip = ETHERNET;
  frame[ip] = 0x45; // version 4, header of five words
  view.setUint16(ip + 2, IP + UDP + payload.length);
  view.setUint16(ip + 6, 0x4000); // don't fragment
  frame[ip + 8] = 64; // time to live
  frame[ip + 9] = 17; // UDP
  frame.set([10, 0, 0, 1, 10, 0, 0, 2], ip + 12);
  view.setUint16(ip + 10, checksum([frame.subarray(ip, ip + IP)]));

  const udp = ip + IP;
  view.setUint16(udp, 12345);
  view.setUint16(udp + 2, 53);
  view.setUint16(udp + 4, UDP + payload.length);
  frame.set(payload, udp + UDP);
  const pseudoHeader = Uint8Array.of(
    ...frame.subarray(ip + 12, ip + 20),
    0,
    17,
    ...frame.subarray(udp + 4, udp + 6),
  );
  view.setUint16(udp + 6, checksum([pseudoHeader, frame.subarray(udp)]));
  return frame;
}

/** The Internet checksum (RFC 1071) of stretches that all but the last have an even length. */
function checksum(stretches: readonly Uint8Array[]): number {
  let sum = 0;
  for (const bytes of stretches) {
    for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
