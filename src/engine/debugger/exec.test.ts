import { describe, expect, test } from 'vitest';
import { assemble } from '../bpf/assemble';
import { parseProfile } from '../jit/profile';
import { execute } from './exec';

const run = (text: string, mem?: Uint8Array, limit = 1_000_000, isa = 'rv64imac') =>
  execute(parseProfile({ isa }), assemble(text).insns, mem, limit);
const LE = (value: bigint): Uint8Array => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
};

describe('raw instructions', () => {
  const cases: readonly (readonly [what: string, text: string, r0: bigint])[] = [
    ['a constant', 'r0 = -1\n exit', 0xffffffff_ffffffffn],
    ['32-bit results are zero-extended', 'r0 = -1\n w0 += 1\n exit', 0n],
    ['a 32-bit move of a negative number', 'w0 = -1\n exit', 0xffffffffn],
    ['division by zero gives zero', 'r0 = 7\n r1 = 0\n r0 /= r1\n exit', 0n],
    ['remainder by zero leaves the dividend', 'r0 = 7\n r1 = 0\n r0 %= r1\n exit', 7n],
    ['the least number by -1', 'r0 = 0x8000000000000000\n r1 = -1\n r0 s/= r1\n exit', 0x8000000000000000n],
    ['an uninitialised register is whatever it is', 'r0 = r2\n exit', 0n],
    [
      'a BPF call with a stack of its own',
      'call sub\n r0 += 1\n exit\nsub:\n *(u64 *)(r10 -512) = 41\n r0 = *(u64 *)(r10 -512)\n exit',
      42n,
    ],
    ['a helper', 'call bpf_get_smp_processor_id\n r0 += 5\n exit', 5n],
    ['the whole BPF stack', '*(u64 *)(r10 -512) = 3\n r0 = *(u64 *)(r10 -512)\n exit', 3n],
    [
      'compare and exchange of 32 bits zero-extends r0',
      `r2 = -1\n *(u64 *)(r10 -8) = r2\n r0 = -1\n r1 = 5
       r0 = atomic_cmpxchg((u32 *)(r10 -8), r0, r1)\n exit`,
      0xffffffffn,
    ],
  ];
  test.each(cases)('%s', (_what, text, r0) => {
    for (const isa of ['rv64imac', 'rv64ima', 'rv64imac_zba_zbb']) {
      expect(run(text, undefined, 1000, isa)).toEqual({ r0, stop: { reason: 'exit' } });
    }
  });

  test('memory: r1 is its address, r2 its length', () => {
    const { r0, mem } = run(
      'r0 = *(u64 *)(r1 +0)\n *(u64 *)(r1 +8) = r2\n r0 += r2\n exit',
      new Uint8Array([...LE(100n), ...LE(0n)]),
    );
    expect(r0).toBe(116n);
    expect(mem).toEqual(new Uint8Array([...LE(100n), ...LE(16n)]));
  });

  test('an access past the memory faults, with the place', () => {
    const { r0, stop } = run('r0 = *(u64 *)(r1 +1)\n exit', LE(0n));
    expect(r0).toBeUndefined();
    expect(stop).toMatchObject({ reason: 'fault', location: { slot: 0 } });
  });

  test('a loop without end is stopped by the limit', () => {
    expect(run('loop:\n goto loop', undefined, 5000).stop).toMatchObject({
      reason: 'limit',
      text: 'The limit of 5000 instructions is reached.',
    });
  });

  test('what is no program is refused with the instruction', () => {
    expect(() =>
      execute(parseProfile(), [{ code: 0xff, dst: 0, src: 0, off: 0, imm: 0 }], undefined, 10),
    ).toThrow(/nstruction 0/);
  });
});
