import { MAP_TYPE } from '../../loader/map-types';
import type { XlateMap } from '../types';
import type { VerifierEnv } from './env';
import { markSlotPrecise } from './precision';
import { isConst } from './scalar';
import { byteIndex, slotIndex, type SlotByte } from './state';

/** Maps in which every index below max_entries has an element. */
const ALWAYS_FOUND: readonly number[] = [MAP_TYPE.ARRAY, MAP_TYPE.PERCPU_ARRAY];

/**
 * Whether the key of a lookup is a constant that the map has for certain, so that the result needs no test for NULL
 * (get_constant_map_key). The key must lie within one stack slot, all zero or all one spilled constant.
 */
export function keyIsAlwaysFound(env: VerifierEnv, map: XlateMap, register: number): boolean {
  if (!env.facts.constantKeysFound || !ALWAYS_FOUND.includes(map.type)) return false;
  const key = constantKey(env, register, map.keySize);
  return key !== undefined && key >= 0n && key < BigInt(map.maxEntries);
}

function constantKey(env: VerifierEnv, register: number, size: number): bigint | undefined {
  const pointer = env.frame.reg(register);
  if (pointer.type !== 'stack' || !isConst(pointer.value)) return undefined;
  const off = pointer.off + Number(BigInt.asIntN(64, pointer.value.bits.value));
  const index = slotIndex(off);
  const slot = env.state.frames[pointer.frame]?.stack[index];
  if (!slot) return undefined;
  const run = (kind: SlotByte): number => {
    let length = 0;
    for (let i = byteIndex(off); i >= 0 && slot.bytes[i] === kind; i--) length++;
    return length;
  };
  if (run('zero') >= size) return 0n;
  if (!slot.isScalarSpill || run('spill') !== size || !isConst(slot.reg.value)) return undefined;
  markSlotPrecise(env, pointer.frame, index);
  return BigInt.asIntN(64, slot.reg.value.bits.value);
}
