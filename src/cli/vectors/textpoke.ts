import { EngineError } from '../../engine/base/errors';
import { bytesToHex } from '../../engine/base/hex';
import { pokeText, type Poke } from '../../engine/jit/textpoke';
import { valueDifference } from './difference';
import type { Fields } from './fields';
import type { RecordCheck } from './report';

/** A text poke record: the 8 bytes, or the refusal of a target out of reach (`image` null). */
export function checkTextPoke(check: RecordCheck, record: Fields): void {
  const target = record.address('target');
  const poke: Poke =
    target === 0n ? { kind: 'detached' } : { kind: record.flag('is_call') ? 'call' : 'jump', target };
  check.count('text pokes');
  const expected = record.has('image') ? record.text('image') : 'refused';
  check.expect('text poke', valueDifference('bytes', poked(record.address('ip'), poke), expected));
}

function poked(ip: bigint, poke: Poke): string {
  try {
    return bytesToHex(pokeText(ip, poke));
  } catch (error) {
    if (error instanceof EngineError && error.code === 'jit/range') return 'refused';
    throw error;
  }
}
