import { expect, it } from 'vitest';
import { sampleListing, targetListing } from '../testing/sample-listing';
import { destinations } from './go-to';

const functions = [sampleListing.function, targetListing.function];
const go = (text: string) => destinations(text, functions, sampleListing).map(({ to }) => to);

it('offers all functions at first, and those whose name matches', () => {
  expect(go('')).toEqual([
    { kind: 'function', key: 'dispatch/dispatch' },
    { kind: 'function', key: 'pass/pass' },
  ]);
  expect(go('PASS')).toEqual([{ kind: 'function', key: 'pass/pass' }]);
});

it('takes an address to its instruction and to memory', () => {
  const address = sampleListing.native[3]!.address;
  expect(go(address)).toEqual([
    { kind: 'native', key: 'dispatch/dispatch', address },
    { kind: 'memory', address: BigInt(address) },
  ]);
  expect(go('0x1000')).toEqual([{ kind: 'memory', address: 0x1000n }]);
});

it('takes name+offset to an instruction, but not past the end', () => {
  expect(go('pass+0x4')).toContainEqual({ kind: 'native', key: 'pass/pass', address: '0xffffffff80100204' });
  expect(go('pass+c')).toEqual([]);
});

it('takes a number to a line, to a slot and to a cycle', () => {
  expect(go('15')).toEqual([
    { kind: 'line', row: 14 },
    { kind: 'slot', slot: 15 },
    { kind: 'cycle', cycle: 15 },
  ]);
  expect(go('99')).toEqual([{ kind: 'cycle', cycle: 99 }]);
  expect(go('cycle 7')).toEqual([{ kind: 'cycle', cycle: 7 }]);
  expect(go('cycle')).toEqual([]);
});
