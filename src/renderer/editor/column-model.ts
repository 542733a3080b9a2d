import type { ListingView } from '../../shared/views';

/** What one column shows of a listing, line by line, ready for the editor. */

export interface GutterText {
  readonly text: string;
  readonly className?: string;
}

export interface ColumnLine {
  readonly text: string;
  /** Row of the listing; -1 for headings. */
  readonly row: number;
  readonly className?: string;
  /** Text in each of the column's gutters. */
  readonly gutters: readonly GutterText[];
  /** Paragraphs of the hover card, the first one as its heading. */
  readonly hover?: readonly string[];
}

export interface ColumnModel {
  readonly lines: readonly ColumnLine[];
  /** Line (from 0) of each row. */
  readonly lineOfRow: readonly number[];
  /** Widest text of each gutter, in characters: gutters keep their width when scrolled. */
  readonly gutterWidths: readonly number[];
}

function model(lines: readonly ColumnLine[]): ColumnModel {
  const lineOfRow: number[] = [];
  const gutterWidths: number[] = [];
  lines.forEach((line, index) => {
    if (line.row >= 0) lineOfRow[line.row] = index;
    line.gutters.forEach(({ text }, i) => {
      gutterWidths[i] = Math.max(gutterWidths[i] ?? 0, text.length);
    });
  });
  return { lines, lineOfRow, gutterWidths };
}

/** Source lines with their numbers; a heading where the file changes, if there are several. */
export function sourceModel(listing: ListingView): ColumnModel {
  const several = new Set(listing.source.map(({ file }) => file)).size > 1;
  const lines: ColumnLine[] = [];
  let file: string | undefined;
  listing.source.forEach((row, index) => {
    if (several && row.file !== file) {
      lines.push({ text: row.file, row: -1, className: 'hb-heading', gutters: [{ text: '' }] });
    }
    file = row.file;
    lines.push({
      text: row.text.replaceAll('\t', '    '),
      row: index,
      className: row.code ? undefined : 'hb-no-code',
      gutters: [{ text: String(row.line) }],
    });
  });
  return model(lines);
}

/** Xlated instructions with their slots; rewrites are marked. */
export function bpfModel(listing: ListingView): ColumnModel {
  return model(
    listing.bpf.map((row, index) => ({
      text: row.text,
      row: index,
      className: row.continuation ? 'hb-continuation' : undefined,
      gutters: [
        { text: row.continuation ? '' : String(row.slot) },
        row.rule ? { text: '✱', className: 'hb-rewrite-mark' } : { text: '' },
      ],
      hover: row.rule
        ? ['Rewritten by the verifier', row.rule]
        : row.continuation
          ? [
              'Second slot of the 16-byte load above',
              'It holds the upper 32 bits of the immediate and is not executed by itself.',
            ]
          : undefined,
    })),
  );
}

export interface NativeOptions {
  /** Whole addresses, or offsets from the image's start. */
  readonly addresses: 'full' | 'offset';
  readonly bytes: boolean;
}

/** Native instructions with address and, if wanted, bytes; prologue and epilogue are shaded. */
export function nativeModel(listing: ListingView, options: NativeOptions): ColumnModel {
  return model(
    listing.native.map((row, index) => {
      const address =
        options.addresses === 'full' ? row.address.replace(/^0x/, '') : `+0x${row.offset.toString(16)}`;
      const first = index === 0 || listing.native[index - 1]?.part !== row.part;
      return {
        text: row.text,
        row: index,
        className:
          [row.part !== 'body' && 'hb-outside', first && index > 0 && 'hb-part-start']
            .filter(Boolean)
            .join(' ') || undefined,
        gutters: [
          { text: address },
          ...(options.bytes ? [{ text: byteText(row.bytes), className: 'hb-bytes' }] : []),
        ],
        hover: [
          row.why,
          ...(row.part === 'body'
            ? []
            : [`Part of the ${row.part === 'extable' ? 'exception table' : row.part}.`]),
        ],
      };
    }),
  );
}

/** Bytes as objdump groups them: one little-endian parcel of 2 or 4 bytes. */
function byteText(hex: string): string {
  return (hex.match(/../g) ?? []).reverse().join('');
}
