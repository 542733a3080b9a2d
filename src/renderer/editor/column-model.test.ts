import { expect, it } from 'vitest';
import { sampleListing } from '../testing/sample-listing';
import { bpfModel, nativeModel, sourceModel } from './column-model';

it('numbers source lines and dims those without code', () => {
  const model = sourceModel(sampleListing);
  expect(model.lines).toHaveLength(sampleListing.source.length);
  expect(model.lines[14]).toMatchObject({ row: 14, className: undefined, gutters: [{ text: '15' }] });
  expect(model.lines[0]?.className).toBe('hb-no-code');
  expect(model.lines[14]?.text).toBe('    __u64 now = bpf_ktime_get_ns();');
});

it('puts a heading where the file changes, and keeps rows and lines apart', () => {
  const source = [
    { file: 'a.c', line: 7, text: 'x', code: true },
    { file: 'b.h', line: 3, text: 'y', code: true },
    { file: 'b.h', line: 9, text: 'z', code: true },
  ];
  const model = sourceModel({ ...sampleListing, source });
  expect(model.lines.map(({ text }) => text)).toEqual(['a.c', 'x', 'b.h', 'y', 'z']);
  expect(model.lineOfRow).toEqual([1, 3, 4]);
  expect(model.lines.map(({ row }) => row)).toEqual([-1, 0, -1, 1, 2]);
});

it('marks rewritten instructions and explains them', () => {
  const model = bpfModel(sampleListing);
  expect(model.lines[1]?.gutters.map(({ text }) => text)).toEqual(['1', '✱']);
  expect(model.lines[1]?.hover?.[0]).toBe('Rewritten by the verifier');
  expect(model.lines[0]?.hover).toBeUndefined();
  expect(model.lines[5]).toMatchObject({
    className: 'hb-continuation',
    gutters: [{ text: '' }, { text: '' }],
  });
});

it('shows addresses or offsets, and bytes as parcels when they are wanted', () => {
  const [first] = nativeModel(sampleListing, { addresses: 'full', bytes: false }).lines;
  expect(first?.gutters).toEqual([{ text: 'ffffffff80100020' }]);
  const listing = {
    ...sampleListing,
    native: [{ ...sampleListing.native[0]!, bytes: '13000000', offset: 0x1c }],
  };
  const [shown] = nativeModel(listing, { addresses: 'offset', bytes: true }).lines;
  expect(shown?.gutters).toEqual([{ text: '+0x1c' }, { text: '00000013', className: 'hb-bytes' }]);
});

it('shades prologue and epilogue and says why each instruction is there', () => {
  const { lines } = nativeModel(sampleListing, { addresses: 'full', bytes: false });
  const outside = lines.filter(({ className }) => className?.includes('hb-outside')).map(({ row }) => row);
  expect(outside).toEqual(sampleListing.native.flatMap((row, i) => (row.part === 'body' ? [] : [i])));
  expect(lines[2]?.hover).toEqual([
    'tcc/init: the main program sets the tail call counter',
    'Part of the prologue.',
  ]);
});
