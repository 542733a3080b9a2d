import { describe, expect, it } from 'vitest';
import type { LocationView } from '../../shared/views';
import { sampleListing } from '../testing/sample-listing';
import { buildLinks } from './links';

const links = buildLinks(sampleListing);
const { native, bpf } = sampleListing;
const texts = (rows: readonly number[]) => rows.map((row) => native[row]?.text);

describe('rows that belong together', () => {
  it('joins a native instruction with its BPF instruction, that one’s line, and its siblings', () => {
    const row = native.findIndex(({ text }) => text === 'mv a6, s6');
    const linked = links.of({ column: 'native', row });
    expect(linked.source).toEqual([14]);
    expect(linked.bpf.map((i) => bpf[i]?.slot)).toEqual([1]);
    expect(texts(linked.native)).toEqual([
      'mv s6, a6',
      'auipc ra, 0xfff82',
      'jalr ra, 1456(ra) # bpf_ktime_get_ns',
      'mv a6, s6',
      'mv a5, a0',
    ]);
  });

  it('joins a source line with all its BPF instructions and all of theirs', () => {
    const linked = links.of({ column: 'source', row: 15 });
    expect(linked.bpf.map((i) => bpf[i]?.text)).toEqual(['w7 = w0', 'w7 &= 3']);
    expect(linked.native).toHaveLength(4);
  });

  it('takes both slots of a 16-byte load as one', () => {
    const first = links.of({ column: 'bpf', row: 4 });
    expect(first.bpf).toEqual([4, 5]);
    expect(links.of({ column: 'bpf', row: 5 })).toEqual(first);
    expect(texts(first.native)).toEqual(['lui a0, 0x80004', 'addi a0, a0, 32']);
  });

  it('leaves prologue and epilogue rows alone', () => {
    expect(links.of({ column: 'native', row: 2 })).toEqual({ source: [], bpf: [], native: [2] });
  });

  it('is symmetric between BPF and native rows', () => {
    native.forEach((_, row) => {
      for (const other of links.of({ column: 'native', row }).bpf) {
        expect(links.of({ column: 'bpf', row: other }).native).toContain(row);
      }
    });
  });
});

describe('where a location is', () => {
  const at = (part: Partial<LocationView>) => links.at({ pc: '0x0', symbol: '', ...part });

  it('finds the native row that covers an address', () => {
    const row = native[13];
    expect(links.nativeRow(row!.address)).toBe(13);
    expect(links.nativeRow(`0x${(BigInt(row!.address) + 2n).toString(16)}`)).toBe(13);
    expect(links.nativeRow('0x10')).toBeUndefined();
    expect(links.nativeRow('0xffffffffffffffff')).toBeUndefined();
  });

  it('takes the line from the location, or from the BPF instruction', () => {
    expect(at({ pc: native[13]!.address, slot: 1 })).toEqual({ source: [14], bpf: [1], native: [13] });
    expect(at({ slot: 1, line: 19, file: 'tailcall_dispatch.c' }).source).toEqual([18]);
    expect(at({ slot: 1, line: 19, file: 'other.h' }).source).toEqual([]);
  });

  it('takes the call before a return address', () => {
    const behind = native.findIndex(({ text }) => text === 'mv a6, s6');
    const { pc } = { pc: native[behind]!.address };
    expect(links.at({ pc, symbol: '', slot: 1 }, true).native).toEqual([behind - 1]);
    expect(links.at({ pc, symbol: '', slot: 1 }).native).toEqual([behind]);
  });

  it('knows no line and no slot in the prologue', () => {
    expect(at({ pc: native[2]!.address })).toEqual({ source: [], bpf: [], native: [2] });
  });
});
