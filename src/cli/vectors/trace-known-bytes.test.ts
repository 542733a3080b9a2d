import { describe, expect, it } from 'vitest';
import { createMachine } from '../../engine/machine/machine';
import { decode } from '../../engine/rv64/decode';
import { BASE_SPECS, specOf } from '../../engine/rv64/table';
import { memoryAccess } from './memory-access';
import { KnownBytes } from './trace-known-bytes';

const PAGE = 0xffff_ffc6_0000_0000n;

function setUp() {
  const { memory } = createMachine();
  const known = new KnownBytes(memory);
  return { memory, known };
}

describe('memory of a trace', () => {
  it('is mapped where it is touched, over the end of a page too', () => {
    const { memory, known } = setUp();
    known.ensureMapped(PAGE + 0xffcn, 8);
    expect(memory.regions().map(({ base }) => base)).toEqual([PAGE, PAGE + 0x1000n]);
    known.ensureMapped(PAGE, 8);
    expect(memory.regions().length).toBe(2);
  });

  it('takes recorded values only where nothing is known', () => {
    const { memory, known } = setUp();
    known.ensureMapped(PAGE, 8);
    memory.writeU32(PAGE + 2n, 0xaabbccdd);
    known.written(PAGE + 2n, 4, false);
    expect([known.knows(PAGE + 2n, 4), known.knows(PAGE + 1n, 4), known.knows(PAGE, 8)]).toEqual([
      true,
      false,
      false,
    ]);
    known.supply(PAGE, 8, 0x8877_6655_4433_2211n);
    expect(memory.readU64(PAGE)).toBe(0x8877_aabb_ccdd_2211n);
  });

  it('is unknown again after a call, but for the slots of frames above sp', () => {
    const { known } = setUp();
    known.written(PAGE, 8, true);
    known.written(PAGE + 8n, 8, true);
    known.written(PAGE + 16n, 8, false);
    known.forgetAll(PAGE + 8n);
    expect([0n, 8n, 16n].map((offset) => known.knows(PAGE + offset, 8))).toEqual([false, true, false]);
  });
});

describe('what an instruction does to memory', () => {
  it.each([
    ['lb', 'r1'],
    ['lhu', 'r2'],
    ['lwu', 'r4'],
    ['ld', 'r8'],
    ['sb', 'w1'],
    ['sd', 'w8'],
    ['lr.w', 'r4'],
    ['sc.d', 'w8'],
    ['amoadd.w', 'rw4'],
    ['amomaxu.d', 'rw8'],
    ['amocas.d', 'rw8'],
  ] as const)('%s: %s', (mnemonic, expected) => {
    const { size, loads, stores } = memoryAccess(decode(specOf(mnemonic).match)!)!;
    expect(`${loads ? 'r' : ''}${stores ? 'w' : ''}${size}`).toBe(expected);
  });

  it('is known of all formats that access memory, and of no other', () => {
    const wrong = BASE_SPECS.filter(({ match, format }) => {
      const insn = decode(match);
      const accesses = ['load', 'store', 'lr', 'amo'].includes(format);
      return insn !== undefined && (memoryAccess(insn) !== undefined) !== accesses;
    });
    expect(wrong.map(({ mnemonic }) => mnemonic)).toEqual([]);
  });
});
