import { describe, expect, test } from 'vitest';
import { aluResult, branchTaken } from '../../bpf/alu';
import { BPF_ALU_OP, BPF_JMP_OP } from '../../bpf/insn';
import { ALU_OPS, BRANCH_OPS } from '../../bpf/table';
import { XLATE_FACTS, type XlateFacts } from '../../profile/xlate-facts';
import { Random } from '../../base/testing/random';
import { random64 } from '../testing/random';
import { predict, refine } from './compare';
import {
  isContradiction,
  known,
  low32s,
  low32u,
  scalarWithin,
  signExtend32,
  signExtend64,
  sync,
  truncate,
  UNKNOWN,
  zeroExtend32,
  type Draft,
  type Scalar,
} from './scalar';
import { scalarAlu, type ArithmeticRules } from './scalar-alu';
import {
  tnumAdd,
  tnumConst,
  tnumIn,
  tnumIntersect,
  tnumMul,
  tnumNext,
  tnumRange,
  tnumSub,
  type Tnum,
} from './tnum';

const rulesOf = (facts: XlateFacts): ArithmeticRules => ({
  rounds: facts.deductionRounds,
  acrossSign: facts.rangesAcrossSign,
  singleValues: facts.singleValueRanges,
  signedProducts: facts.signedProductRanges,
  wrappedSums: facts.wrappedSumRanges,
  quotients: facts.quotientRanges,
});

/** Every respect in which a concrete value may lie outside of what is said of it. */
function outside(s: Scalar, value: bigint): string | undefined {
  const signed = BigInt.asIntN(64, value);
  if ((value & ~s.bits.mask) !== s.bits.value) return 'bits';
  if (value < s.umin || value > s.umax) return 'unsigned range';
  if (signed < s.smin || signed > s.smax) return 'signed range';
  if (low32u(value) < s.u32min || low32u(value) > s.u32max) return 'unsigned 32-bit range';
  return low32s(value) < s.s32min || low32s(value) > s.s32max ? 'signed 32-bit range' : undefined;
}

const aluOp = (name: string): number => BPF_ALU_OP[name.toUpperCase() as keyof typeof BPF_ALU_OP];
const jumpOp = (name: string): number => BPF_JMP_OP[`J${name.toUpperCase()}` as keyof typeof BPF_JMP_OP];

const BINARY = ALU_OPS.filter(({ op }) => !['neg', 'mov', 'end'].includes(op));

describe.each(['6.6', '6.12', '7.2'] as const)('what is known of numbers under %s', (kernel) => {
  const facts = XLATE_FACTS[kernel];
  const rules = rulesOf(facts);
  const comparison = {
    bitsDecideEquality: facts.bitsDecideEquality,
    sameRegisterDecides: facts.sameRegisterDecides,
  };

  test('holds for the value after any chain of operations and branches', () => {
    const random = new Random(0x1234567);
    for (let round = 0; round < 150; round++) {
      const values = [random64(random), random64(random), random64(random)];
      const states: Scalar[] = values.map((value) => (random.below(2) ? known(value) : UNKNOWN));
      for (let step = 0; step < 25; step++) {
        const a = random.below(3);
        const b = random.below(3);
        const [x, y] = [values[a]!, values[b]!];
        const is32 = random.below(2) === 1;
        const width = is32 ? 32 : 64;
        let what: string;
        switch (random.below(5)) {
          case 0:
          case 1: {
            const { op } = random.pick(BINARY);
            const signed = (op === 'div' || op === 'mod') && random.below(2) === 1;
            const shift = ['lsh', 'rsh', 'arsh'].includes(op);
            const operand = shift ? BigInt(random.below(width)) : y;
            what = `${op}${width}${signed ? ' signed' : ''}`;
            values[a] = aluResult(op, width, x, operand, signed);
            states[a] = scalarAlu(
              aluOp(op),
              is32,
              states[a]!,
              shift ? known(operand) : states[b]!,
              signed,
              rules,
            );
            break;
          }
          case 2: {
            const { op } = random.pick(BRANCH_OPS);
            what = `branch ${op}${width}`;
            const taken = branchTaken(op, width, x, y);
            const told = predict(jumpOp(op), is32, states[a]!, states[b]!, a === b, comparison);
            if (told !== undefined && told !== taken)
              expect.fail(`${what} predicted wrong in round ${round}`);
            const d: Draft = { ...states[a]! };
            const e: Draft = a === b ? d : { ...states[b]! };
            refine(jumpOp(op), is32, d, e, taken);
            states[a] = sync(d, rules);
            states[b] = sync(e, rules);
            break;
          }
          case 3: {
            const size = random.pick([1, 2, 4] as const);
            what = `load of ${size}`;
            values[a] = BigInt.asUintN(size * 8, x);
            states[a] = truncate(states[a]!, size, rules);
            break;
          }
          default: {
            const size = random.pick([1, 2, 4] as const);
            what = `sign extension of ${size} to ${is32 && size < 4 ? 32 : 64}`;
            const extended = BigInt.asIntN(size * 8, x);
            if (is32 && size < 4) {
              values[a] = BigInt.asUintN(32, extended);
              const d: Draft = { ...signExtend32(states[a]!, size as 1 | 2) };
              zeroExtend32(d);
              states[a] = sync(d, rules);
            } else {
              values[a] = BigInt.asUintN(64, extended);
              states[a] = signExtend64(states[a]!, size);
            }
          }
        }
        for (const i of [a, b]) {
          const wrong =
            outside(states[i]!, values[i]!) ?? (isContradiction(states[i]!) ? 'contradiction' : undefined);
          if (wrong !== undefined) expect.fail(`${wrong} after ${what}, round ${round}, step ${step}`);
        }
      }
    }
  });
});

test('bits of sums, differences and products hold for all their values', () => {
  const random = new Random(0xbeef);
  const some = (): Tnum => {
    const mask = BigInt(random.below(64));
    return { value: BigInt(random.u32()) & ~mask, mask };
  };
  const member = ({ value, mask }: Tnum): bigint => value | (BigInt(random.u32()) & mask);
  for (let i = 0; i < 2000; i++) {
    const [a, b] = [some(), some()];
    const [x, y] = [member(a), member(b)];
    const holds = (t: Tnum, value: bigint): boolean => tnumIn(t, tnumConst(value));
    const [low, high] = x < y ? [x, y] : [y, x];
    const all = [
      holds(tnumAdd(a, b), x + y),
      holds(tnumSub(a, b), x - y),
      holds(tnumMul(a, b), x * y),
      holds(tnumRange(low, high), low + (high - low) / 3n),
      holds(tnumIntersect(a, tnumRange(x, x)), x),
    ];
    if (all.includes(false)) expect.fail(`${all.join(' ')} for ${x} and ${y}`);
  }
});

test('the next value of a bit pattern is the smallest one above', () => {
  for (const t of [
    { value: 0b0100n, mask: 0b1001n },
    { value: 0b1010_0000n, mask: 0b0100_0110n },
    { value: 0n, mask: 0b111n },
    { value: 5n, mask: 0n },
  ]) {
    const members = Array.from({ length: 256 }, (_, i) => BigInt(i)).filter((x) => (x & ~t.mask) === t.value);
    const largest = members[members.length - 1]!;
    for (let z = 0n; z < 256n; z++) expect(tnumNext(t, z)).toBe(members.find((m) => m > z) ?? largest);
  }
});

test('a range that holds another one covers it', () => {
  const d: Draft = { ...UNKNOWN, umax: 100n };
  const rules = rulesOf(XLATE_FACTS['6.12']);
  const wide = sync(d, rules);
  expect(scalarWithin(wide, known(100n))).toBe(true);
  expect(scalarWithin(wide, known(101n))).toBe(false);
  expect(scalarWithin(known(7n), wide)).toBe(false);
  expect(wide).toMatchObject({
    umin: 0n,
    umax: 100n,
    smin: 0n,
    smax: 100n,
    u32max: 100,
    s32max: 100,
    bits: { value: 0n, mask: 127n },
  });
});
