import { EngineError } from '../../engine/base/errors';
import { bytesToHex } from '../../engine/base/hex';
import { pokeText, type Poke } from '../../engine/jit/textpoke';
import { imageDifference, valueDifference } from './difference';
import type { Fields } from './fields';
import type { RecordCheck } from './report';

/** A text poke record: the 8 bytes, or the refusal of a target out of reach (`image` null). */
export function checkTextPoke(check: RecordCheck, record: Fields): void {
  const target = record.address('target');
  const poke: Poke =
    target === 0n ? { kind: 'detached' } : { kind: record.flag('is_call') ? 'call' : 'jump', target };
  check.count('text pokes');
  const ip = record.address('ip');
  const ours = poked(ip, poke);
  const recorded = record.has('image') ? record.bytes('image') : undefined;
  check.expect(
    'text poke',
    ours && recorded
      ? imageDifference(ours, recorded, { address: ip })
      : valueDifference('bytes', shown(ours), shown(recorded)),
  );
}

const shown = (bytes: Uint8Array | undefined): string => (bytes ? bytesToHex(bytes) : 'refused');

/** @returns undefined where the target is out of reach */
function poked(ip: bigint, poke: Poke): Uint8Array | undefined {
  try {
    return pokeText(ip, poke);
  } catch (error) {
    if (error instanceof EngineError && error.code === 'jit/range') return undefined;
    throw error;
  }
}
