import { StateEffect, StateField, type Extension } from '@codemirror/state';
import { gutter, GutterMarker, type BlockInfo, type EditorView } from '@codemirror/view';
import type { GutterText } from './column-model';

/** How a breakpoint looks at a line. */
export interface BreakpointMark {
  /** `own`: set at this row; `implied`: another column's breakpoint stops here. */
  readonly kind: 'own' | 'implied';
  readonly enabled: boolean;
  readonly problem: boolean;
  readonly hits: number;
  readonly title: string;
}

export type BreakpointMarks = ReadonlyMap<number, BreakpointMark>;

export const setBreakpointMarks = StateEffect.define<BreakpointMarks>();
/** Lines (from 0) of the pc, for the arrow in the gutter. */
export const setPcLines = StateEffect.define<ReadonlySet<number>>();

const marksField = StateField.define<BreakpointMarks>({
  create: () => new Map(),
  update(value, transaction) {
    for (const effect of transaction.effects) if (effect.is(setBreakpointMarks)) return effect.value;
    return value;
  },
});

const pcField = StateField.define<ReadonlySet<number>>({
  create: () => new Set(),
  update(value, transaction) {
    for (const effect of transaction.effects) if (effect.is(setPcLines)) return effect.value;
    return value;
  },
});

class PointMarker extends GutterMarker {
  constructor(
    private readonly mark: BreakpointMark | undefined,
    private readonly pc: boolean,
  ) {
    super();
  }

  override eq(other: PointMarker): boolean {
    return (
      this.pc === other.pc &&
      this.mark?.kind === other.mark?.kind &&
      this.mark?.enabled === other.mark?.enabled &&
      this.mark?.problem === other.mark?.problem &&
      this.mark?.title === other.mark?.title
    );
  }

  override toDOM(): Node {
    const dom = document.createElement('span');
    dom.className = [
      'hb-point',
      this.mark && `hb-bp hb-bp-${this.mark.kind}`,
      this.mark && !this.mark.enabled && 'hb-bp-off',
      this.mark?.problem && 'hb-bp-problem',
      this.pc && 'hb-pc',
    ]
      .filter(Boolean)
      .join(' ');
    if (this.mark) dom.title = this.mark.title;
    return dom;
  }
}

const spacer = new PointMarker(undefined, false);

function lineIndex(view: EditorView, block: BlockInfo): number {
  return view.state.doc.lineAt(block.from).number - 1;
}

/** The gutter of breakpoints and the pc arrow; a click calls `toggle` with the line. */
export function breakpointGutter(toggle: (line: number) => void): Extension {
  return [
    marksField,
    pcField,
    gutter({
      class: 'hb-points',
      renderEmptyElements: true,
      initialSpacer: () => spacer,
      lineMarker(view, block) {
        const line = lineIndex(view, block);
        const mark = view.state.field(marksField).get(line);
        const pc = view.state.field(pcField).has(line);
        return mark || pc ? new PointMarker(mark, pc) : null;
      },
      lineMarkerChange: (update) =>
        update.transactions.some((transaction) =>
          transaction.effects.some((effect) => effect.is(setBreakpointMarks) || effect.is(setPcLines)),
        ),
      domEventHandlers: {
        mousedown(view, block, event) {
          if ((event as MouseEvent).button !== 0) return false;
          toggle(lineIndex(view, block));
          event.preventDefault();
          return true;
        },
      },
    }),
  ];
}

class TextMarker extends GutterMarker {
  constructor(private readonly content: GutterText) {
    super();
    if (content.className) this.elementClass = content.className;
  }

  override eq(other: TextMarker): boolean {
    return this.content.text === other.content.text && this.content.className === other.content.className;
  }

  override toDOM(): Node {
    return document.createTextNode(this.content.text);
  }
}

/** A gutter of text such as line numbers, slots, addresses; `texts` by line. */
export function textGutter(
  className: string,
  texts: readonly (GutterText | undefined)[],
  width: number,
): Extension {
  const widest = new TextMarker({ text: '0'.repeat(width) });
  return gutter({
    class: `hb-text-gutter ${className}`,
    initialSpacer: () => widest,
    lineMarker(view, block) {
      const content = texts[lineIndex(view, block)];
      return content && content.text !== '' ? new TextMarker(content) : null;
    },
  });
}
