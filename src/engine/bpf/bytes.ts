import { EngineError } from '../base/errors';
import type { BpfInsn } from './insn';

/** Bytes of one instruction slot. */
export const INSN_BYTES = 8;

/**
 * Splits raw little-endian code into slots.
 * @throws EngineError `bpf/length` unless the length is a multiple of 8 bytes.
 */
export function decodeInsns(bytes: Uint8Array): BpfInsn[] {
  if (bytes.length % INSN_BYTES !== 0) {
    throw new EngineError(
      'bpf/length',
      `BPF code is a sequence of 8-byte instructions, but there are ${bytes.length} bytes.`,
      { length: bytes.length },
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const insns: BpfInsn[] = [];
  for (let at = 0; at < bytes.length; at += INSN_BYTES) {
    const regs = view.getUint8(at + 1);
    insns.push({
      code: view.getUint8(at),
      dst: regs & 15,
      src: regs >> 4,
      off: view.getInt16(at + 2, true),
      imm: view.getInt32(at + 4, true),
    });
  }
  return insns;
}

/** The raw little-endian bytes of the slots, 8 each. */
export function encodeInsns(insns: readonly BpfInsn[]): Uint8Array {
  const bytes = new Uint8Array(insns.length * INSN_BYTES);
  const view = new DataView(bytes.buffer);
  insns.forEach((insn, i) => {
    view.setUint8(i * INSN_BYTES, insn.code);
    view.setUint8(i * INSN_BYTES + 1, (insn.src << 4) | insn.dst);
    view.setInt16(i * INSN_BYTES + 2, insn.off, true);
    view.setInt32(i * INSN_BYTES + 4, insn.imm, true);
  });
  return bytes;
}

/** The 64-bit constant of the ld_imm64 at slot `index` (two slots), as unsigned. */
export function imm64(insns: readonly BpfInsn[], index: number): bigint {
  const low = insns[index]?.imm ?? 0;
  const high = insns[index + 1]?.imm ?? 0;
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}
