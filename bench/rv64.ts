import { decode } from '../src/engine/rv64/decode';
import { enc } from '../src/engine/rv64/encode';
import { print } from '../src/engine/rv64/print';
import { BASE_SPECS } from '../src/engine/rv64/table';
import { Random } from '../src/engine/rv64/testing/random';

/** Runs `work`, which does `count` operations, five times and reports the fastest. */
function measure(name: string, count: number, work: () => number): void {
  let best = Infinity;
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    work();
    best = Math.min(best, performance.now() - start);
  }
  console.log(`${name.padEnd(32)} ${(count / best / 1000).toFixed(1)} million per second`);
}

/** Speed of the RISC-V tables: decoding, encoding, printing. */
export default function bench(): void {
  const random = new Random(1);
  const words = BASE_SPECS.flatMap(({ match, mask }) =>
    Array.from({ length: 50 }, () => (match | (random.u32() & ~mask)) >>> 0),
  );
  const halfwords = Array.from({ length: 20_000 }, () => random.below(0x10000)).filter(
    (word) => (word & 3) !== 3 && decode(word) !== undefined,
  );
  const decodeAll = (list: readonly number[], rounds: number) => () => {
    let sum = 0;
    for (let round = 0; round < rounds; round++) for (const word of list) sum += decode(word)!.rd;
    return sum;
  };
  measure('decode, 32-bit instructions', words.length * 200, decodeAll(words, 200));
  measure('decode, compressed instructions', halfwords.length * 100, decodeAll(halfwords, 100));
  measure('enc, a mixture', 8e6, () => {
    let sum = 0;
    for (let i = 0; i < 1e6; i++) {
      sum ^=
        enc.addi(i & 31, 10, i & 2047) ^
        enc.add(1, 2, i & 31) ^
        enc.ld(1, 2, i & 1023) ^
        enc.sd(1, 2, i & 1023);
      sum ^= enc.beq(1, 2, i & 1022) ^ enc.lui(3, i & 0xfffff) ^ enc.c_ldsp(1, (i & 15) * 8) ^ enc.c_mv(1, 3);
    }
    return sum;
  });
  measure('print', words.length * 5, () => {
    let length = 0;
    for (let round = 0; round < 5; round++)
      for (const word of words) length += print(decode(word)!, 0n).text.length;
    return length;
  });
}
