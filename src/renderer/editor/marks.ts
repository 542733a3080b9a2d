import { StateEffect, StateField, type Extension, type Range } from '@codemirror/state';
import { Decoration, EditorView, type DecorationSet } from '@codemirror/view';

/** Which lines of a column are marked, by line number from 0. */
export interface LineMarks {
  readonly current: readonly number[];
  /** `caller`: the current lines are those of a frame that waits for a call to return. */
  readonly currentKind: 'top' | 'caller';
  readonly linked: readonly number[];
  /** The line that keys act on, in the column that has the cursor. */
  readonly cursor: number | null;
}

export const NO_MARKS: LineMarks = { current: [], currentKind: 'top', linked: [], cursor: null };

export const setMarks = StateEffect.define<LineMarks>();

interface MarksState {
  readonly marks: LineMarks;
  readonly decorations: DecorationSet;
}

const field = StateField.define<MarksState>({
  create: () => ({ marks: NO_MARKS, decorations: Decoration.none }),
  update(value, transaction) {
    for (const effect of transaction.effects) {
      if (effect.is(setMarks)) {
        return { marks: effect.value, decorations: decorate(effect.value, transaction.state.doc) };
      }
    }
    return value;
  },
  provide: (self) => EditorView.decorations.from(self, ({ decorations }) => decorations),
});

const linkedLine = Decoration.line({ attributes: { class: 'hb-linked', 'data-linked': 'true' } });
const cursorLine = Decoration.line({ attributes: { class: 'hb-cursor', 'data-cursor': 'true' } });
const currentLine = Decoration.line({ attributes: { class: 'hb-current', 'aria-current': 'location' } });
const callerLine = Decoration.line({ attributes: { class: 'hb-caller', 'aria-current': 'step' } });

function decorate(
  marks: LineMarks,
  doc: { lines: number; line(n: number): { from: number } },
): DecorationSet {
  const ranges: Range<Decoration>[] = [];
  const add = (line: number, decoration: Decoration) => {
    if (line >= 0 && line < doc.lines) ranges.push(decoration.range(doc.line(line + 1).from));
  };
  for (const line of marks.linked) add(line, linkedLine);
  for (const line of marks.current) add(line, marks.currentKind === 'top' ? currentLine : callerLine);
  if (marks.cursor !== null) add(marks.cursor, cursorLine);
  return Decoration.set(ranges, true);
}

/** Line decorations for the current line, linked lines and the cursor's line. */
export function lineMarks(): Extension {
  return field;
}

/** Classes that never change while a document is shown (headings, shading): one decoration set per document. */
export function lineClasses(classes: readonly (string | undefined)[]): Extension {
  return EditorView.decorations.of((view) => {
    const ranges: Range<Decoration>[] = [];
    for (const { from, to } of view.visibleRanges) {
      for (let position = from; position <= to;) {
        const line = view.state.doc.lineAt(position);
        const className = classes[line.number - 1];
        if (className) ranges.push(Decoration.line({ class: className }).range(line.from));
        position = line.to + 1;
      }
    }
    return Decoration.set(ranges);
  });
}
