import { auipcPairAddress, jumpTarget } from '../rv64/print';
import type { DecodedInsn } from '../rv64/decode';
import { REG } from '../rv64/registers';
import type { CodeFunction } from './code-index';

/** Whether an instruction is a call: it jumps and leaves the return address in ra (psABI; also `c.jalr`). */
export function isCall(insn: DecodedInsn | undefined): boolean {
  if (!insn || insn.rd !== REG.ra) return false;
  return insn.base.mnemonic === 'jal' || insn.base.mnemonic === 'jalr';
}

/** The address that the call made for a slot goes to; undefined when the slot's code has no call with a fixed target. */
export function callTarget(code: CodeFunction, slot: number): bigint | undefined {
  const piece = code.map.piecesOf(slot).find(({ rule }) => rule === 'call/leave' || rule === 'call/bpf');
  if (!piece) return undefined;
  let previous: DecodedInsn | undefined;
  for (let offset = piece.from; offset < piece.to;) {
    const native = code.map.nativeAt(offset);
    if (!native?.insn) return undefined;
    const address = code.fn.base + BigInt(offset);
    if (isCall(native.insn)) {
      return native.insn.base.mnemonic === 'jal'
        ? jumpTarget(native.insn, address)
        : auipcPairAddress(previous, native.insn, address);
    }
    previous = native.insn;
    offset += native.size;
  }
  return undefined;
}
