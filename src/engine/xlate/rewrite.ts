import { EngineError } from '../base/errors';
import { hex64 } from '../base/hex';
import { helperName } from '../bpf/helpers';
import type { BpfInsn } from '../bpf/insn';
import { printInsn } from '../bpf/print';
import type { XlateFacts } from '../profile/xlate-facts';
import type { XlatePort } from './types';

/** What the rewriting passes need beside the code. */
export interface Rewrite {
  readonly facts: XlateFacts;
  readonly port: XlatePort;
  readonly progType: number;
  readonly attachType: number;
  /** The program writes to the packet directly. */
  readonly writesPacket: boolean;
  /** The program reads __sk_buff.tstamp_type. */
  readonly knowsTimestampType: boolean;
  /** From profile.layout: offset of the first value in struct bpf_array, of the key in struct htab_elem. */
  readonly arrayValueOffset: number;
  readonly htabKeyOffset: number;
}

/** imm of a call of a kernel address: its distance from __bpf_call_base. @throws EngineError when it does not fit. */
export function callOffset(rewrite: Rewrite, address: bigint, what: string): number {
  const distance = BigInt.asIntN(64, address - rewrite.port.callBase);
  if (distance !== BigInt.asIntN(32, distance)) {
    throw new EngineError(
      'xlate/call-range',
      `${what} lies at ${hex64(address)}, too far from __bpf_call_base (${hex64(rewrite.port.callBase)}) for a call.`,
      { address },
    );
  }
  return Number(distance);
}

/**
 * imm of a call of a helper.
 * @param inputSlot which instruction of the program as it was loaded makes the call
 * @throws EngineError `xlate/helper` for an id that no helper has
 */
export function helperOffset(rewrite: Rewrite, insn: BpfInsn, inputSlot: number): number {
  const address = rewrite.port.helper(insn.imm, rewrite.progType);
  if (address === undefined) {
    const text = printInsn([insn], 0);
    throw new EngineError(
      'xlate/helper',
      `Instruction ${inputSlot} (${text}): there is no helper function with number ${insn.imm}.`,
      { insn: inputSlot, text },
    );
  }
  return callOffset(rewrite, address, helperName(insn.imm) ?? `helper ${insn.imm}`);
}

/** imm of a call of a kernel function by name; undefined when the kernel model lacks it. */
export function symbolOffset(rewrite: Rewrite, name: string): number | undefined {
  const address = rewrite.port.symbol(name);
  return address === undefined ? undefined : callOffset(rewrite, address, name);
}
