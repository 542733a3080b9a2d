import { describe, expect, it } from 'vitest';
import { EngineError } from '../base/errors';
import { Random } from '../base/testing/random';
import { typeText } from '../btf/text';
import type { Btf } from '../btf/types';
import { sizeOf } from '../btf/resolve';
import { validateProgram } from '../bpf/validate';
import { loadObject } from './load';
import { recordedObjects } from './testing/recorded';

const OBJECTS = recordedObjects().map((object) => object.bytes);
const ROUNDS = 2500;

/** Values that break offset arithmetic. */
const NASTY = [0, 1, 7, 8, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff];

/** A damaged copy: cut, bytes changed, words replaced (often in the headers at both ends), stretches moved. */
function mutate(random: Random, original: Uint8Array): Uint8Array {
  if (random.below(8) === 0) return original.slice(0, random.below(original.length));
  const bytes = original.slice();
  const view = new DataView(bytes.buffer);
  const place = (): number => {
    const range = random.below(3);
    // ELF header; section headers (at the end of these files); anywhere
    if (range === 0) return random.below(64);
    return range === 1
      ? bytes.length - 1 - random.below(Math.min(2048, bytes.length))
      : random.below(bytes.length);
  };
  for (let i = random.between(1, 6); i > 0; i--) {
    const at = place();
    switch (random.below(4)) {
      case 0:
        bytes[at] = random.u32();
        break;
      case 1:
        if (at + 4 <= bytes.length) view.setUint32(at, random.pick(NASTY), true);
        break;
      case 2:
        if (at + 4 <= bytes.length)
          view.setUint32(at, view.getUint32(at, true) + random.between(-16, 16), true);
        break;
      default:
        bytes.copyWithin(at, random.below(bytes.length), random.below(bytes.length));
    }
  }
  return bytes;
}

/** Prints and measures every type. */
function longestText(btf: Btf): number {
  let longest = 0;
  for (let id = 0; id < btf.types.length; id++) {
    longest = Math.max(longest, typeText(btf, id).length);
    sizeOf(btf, id);
  }
  return longest;
}

describe('loadObject with damaged files', () => {
  it(`gives an EngineError or an object for ${ROUNDS} damaged objects`, () => {
    const random = new Random(0xbadf00d);
    const counts = { loaded: 0, refused: 0 };
    const codes = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = mutate(random, random.pick(OBJECTS));
      try {
        const object = loadObject(bytes, 'fuzz.o');
        counts.loaded++;
        // What a view does with an object must bear damage as well.
        if (object.btf) expect(longestText(object.btf)).toBeLessThan(20_000);
        for (const program of object.programs) {
          try {
            validateProgram(program.insns);
          } catch (error) {
            if (!(error instanceof EngineError)) throw error;
          }
        }
      } catch (error) {
        if (!(error instanceof EngineError))
          throw new Error(`round ${round}: ${String(error)}`, { cause: error });
        expect(error.message.length).toBeLessThan(2000);
        counts.refused++;
        codes.add(error.code);
      }
    }
    expect(counts.refused).toBeGreaterThan(ROUNDS / 10);
    expect(counts.loaded).toBeGreaterThan(ROUNDS / 10);
    expect([...codes]).toEqual(
      expect.arrayContaining([
        'elf/truncated',
        'elf/magic',
        'elf/machine',
        'btf/format',
        'loader/relocation',
      ]),
    );
  }, 30_000);

  it('refuses every truncation of a small object', () => {
    const bytes = OBJECTS.reduce((a, b) => (b.length < a.length ? b : a));
    for (let length = 0; length < bytes.length; length++) {
      expect(() => loadObject(bytes.subarray(0, length), 'cut.o')).toThrow(EngineError);
    }
  });
});
