import type { PassesView, PassView } from '../../shared/views';
import { counted } from './address';

/** What stands above the column of a pass, and what it means. */
export interface PassHead {
  readonly name: string;
  readonly title: string;
}

const HEADS: Readonly<Record<Exclude<PassView['kind'], 'round'>, PassHead>> = {
  'dry-run': { name: 'dry', title: 'Dry run: counts the body alone, with no distance known yet' },
  'first-image': { name: 'image', title: 'Writes the image; calls of other functions are still open' },
  final: { name: 'final', title: 'Writes the bytes that stay' },
};

export const passHeads = ({ passes }: PassesView): readonly PassHead[] =>
  passes.map((pass) =>
    pass.kind === 'round'
      ? { name: String(pass.round), title: `Pass ${pass.round}: sizes with the distances of the pass before` }
      : HEADS[pass.kind],
  );

/** The size of something in one pass, and how it stands to the pass before. Bytes. */
export interface PassCell {
  readonly size: number;
  /** Bytes more than in the pass before; 0: as before. */
  readonly change: number;
  /** The pass does not make it: the dry run has no prologue and no epilogue. */
  readonly absent: boolean;
}

/** One line of the table: an instruction, or a part of the code around them. */
export interface PassLine {
  readonly name: string;
  /** Function-relative slot of an instruction. */
  readonly slot?: number;
  readonly cells: readonly PassCell[];
  /** The size differs between passes. */
  readonly moves: boolean;
}

/** All lines of the table: prologue, instructions, epilogue. */
export function passLines(view: PassesView): readonly PassLine[] {
  const { passes, rows } = view;
  const absent = passes.map(({ kind }) => kind === 'dry-run');
  const part = (name: string, of: (pass: PassView) => number) => line(name, passes.map(of), absent);
  return [
    part('[prologue]', ({ prologue }) => prologue),
    ...rows.map(({ slot, text, sizes }) => ({ ...line(text, sizes), slot })),
    part('[epilogue]', ({ epilogue }) => epilogue),
  ];
}

export const totalLine = ({ passes }: PassesView): PassLine =>
  line(
    'total',
    passes.map(({ total }) => total),
  );

function line(name: string, sizes: readonly number[], absent: readonly boolean[] = []): PassLine {
  const cells = sizes.map((size, i): PassCell => {
    const before = i === 0 || absent[i - 1] ? size : sizes[i - 1]!;
    return { size, change: size - before, absent: absent[i] ?? false };
  });
  return { name, cells, moves: cells.some(({ change }) => change !== 0) };
}

/** How the size came to stand, in a sentence or two. */
export function passSummary(view: PassesView): string {
  const { passes, allocatedAfter, rows, leftOut } = view;
  const rounds = passes.filter(({ kind }) => kind === 'round').length;
  const { name } = passHeads(view)[allocatedAfter]!;
  const total = passes[allocatedAfter]!.total;
  const first = `${counted(rounds, 'pass', 'passes')} until the size stood. The image of ${counted(total, 'byte')} was allocated after pass ${name}, the first that came out as long as the one before.`;
  if (leftOut === 0) return first;
  return `${first} The function is long: ${counted(rows.length, 'instruction')} whose size changed ${rows.length === 1 ? 'is' : 'are'} shown, ${leftOut} left out.`;
}
