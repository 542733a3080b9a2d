import { EngineError } from '../base/errors';
import { hex64 } from '../base/hex';
import { enc } from '../rv64/encode';
import { auipcLower, auipcUpper, inAuipcRange } from './branch';
import { RV } from './registers';

/** Bytes that a poke replaces: the two entry nops. */
export const POKE_BYTES = 8;

/** What the two entry instructions become; `detached` gives back the nops. */
export type Poke =
  | { readonly kind: 'call'; readonly target: bigint }
  | { readonly kind: 'jump'; readonly target: bigint }
  | { readonly kind: 'detached' };

/**
 * The 8 bytes that text poke writes at `ip` (`gen_jump_or_nops`, `bpf_arch_text_poke`, spec 8.5): a call of a trampoline with t0 as
 * link register, a jump (freplace), or the nops. Never a jal: the length is always the same.
 * @param ip address of the first byte written
 * @throws EngineError `jit/range` if the target is out of auipc's reach
 */
export function pokeText(ip: bigint, poke: Poke): Uint8Array {
  const bytes = new Uint8Array(POKE_BYTES);
  const view = new DataView(bytes.buffer);
  if (poke.kind === 'detached') {
    const nop = enc.addi(RV.zero, RV.zero, 0);
    view.setUint32(0, nop, true);
    view.setUint32(4, nop, true);
    return bytes;
  }
  const distance = Number(BigInt.asIntN(64, poke.target - ip));
  if (!inAuipcRange(distance)) {
    throw new EngineError(
      'jit/range',
      `Text poke at ${hex64(ip)} cannot reach ${hex64(poke.target)}, ${distance} bytes away; auipc and jalr reach ±2 GiB.`,
      { ip, target: poke.target, distance },
    );
  }
  view.setUint32(0, enc.auipc(RV.t1, auipcUpper(distance)), true);
  view.setUint32(4, enc.jalr(poke.kind === 'call' ? RV.t0 : RV.zero, RV.t1, auipcLower(distance)), true);
  return bytes;
}
