import { search, searchKeymap } from '@codemirror/search';
import { EditorState, type Extension } from '@codemirror/state';
import { closeHoverTooltips, EditorView, hoverTooltip, keymap } from '@codemirror/view';
import type { ColumnName } from '../model/links';
import type { ColumnLine, ColumnModel } from './column-model';
import {
  breakpointGutter,
  setBreakpointMarks,
  setPcLines,
  textGutter,
  type BreakpointMarks,
} from './gutters';
import { language } from './languages';
import { lineClasses, lineMarks, setMarks, type LineMarks } from './marks';
import { columnTheme } from './theme';

/** What a column tells its pane; lines count from 0. */
export interface ColumnEvents {
  hover(line: number | null): void;
  select(line: number): void;
  toggle(line: number): void;
}

export interface ColumnOptions {
  readonly column: ColumnName;
  /** Accessible name. */
  readonly label: string;
  readonly gutterClasses: readonly string[];
  readonly events: ColumnEvents;
}

/** One read-only code column: a CodeMirror editor in a shadow root of its own. */
export interface ColumnEditor {
  setModel(model: ColumnModel): void;
  setMarks(marks: LineMarks): void;
  setBreakpoints(marks: BreakpointMarks): void;
  /** Scrolls the least that brings these lines into view, from the first on; centres them when they are far away. */
  reveal(lines: readonly number[]): void;
  lineAt(x: number, y: number): number | null;
  /** Client rectangle of a line that is on screen. */
  focus(): void;
  destroy(): void;
}

/**
 * The editor lives in a shadow root because CodeMirror then uses constructable style sheets, which a content security
 * policy without 'unsafe-inline' allows; in the document itself it would need a style element.
 */
export function createColumnEditor(parent: HTMLElement, options: ColumnOptions): ColumnEditor {
  const root = parent.shadowRoot ?? parent.attachShadow({ mode: 'open' });
  const { events } = options;
  let lines: readonly ColumnLine[] = [];
  let marks: LineMarks | null = null;
  let breakpoints: BreakpointMarks = new Map();
  let hoveredLine: number | null = null;
  /** A context menu was opened and the pointer has not moved since: a tooltip would lie under the menu. */
  let quiet = false;

  const hover = hoverTooltip(
    (view, position) => {
      if (quiet) return null;
      const line = view.state.doc.lineAt(position);
      const text = lines[line.number - 1]?.hover;
      if (!text) return null;
      return { pos: line.from, end: line.to, above: false, create: () => ({ dom: card(text) }) };
    },
    { hoverTime: 350 },
  );

  function lineAt(view: EditorView, x: number, y: number): number | null {
    const box = view.scrollDOM.getBoundingClientRect();
    if (x < box.left || x > box.right || y < box.top || y > box.bottom) return null;
    const block = view.lineBlockAtHeight(y - view.documentTop);
    if (y - view.documentTop > block.bottom) return null;
    return view.state.doc.lineAt(block.from).number - 1;
  }

  function setHovered(line: number | null): void {
    if (line === hoveredLine) return;
    hoveredLine = line;
    events.hover(line);
  }

  const fixed: Extension = [
    EditorState.readOnly.of(true),
    EditorView.editable.of(false),
    EditorView.contentAttributes.of({ tabindex: '0', 'aria-label': options.label }),
    lineMarks(),
    breakpointGutter(events.toggle),
    language(options.column),
    search({ top: true }),
    keymap.of([
      { key: 'ArrowDown', run: (view) => moveCursor(view, 1) },
      { key: 'ArrowUp', run: (view) => moveCursor(view, -1) },
      { key: 'PageDown', run: (view) => moveCursor(view, pageOf(view)) },
      { key: 'PageUp', run: (view) => moveCursor(view, -pageOf(view)) },
      { key: 'Home', run: (view) => moveCursor(view, -Infinity) },
      { key: 'End', run: (view) => moveCursor(view, Infinity) },
      ...searchKeymap,
    ]),
    hover,
    columnTheme,
    EditorView.domEventHandlers({
      mousemove: (event, view) => {
        quiet = false;
        setHovered(lineAt(view, event.clientX, event.clientY));
      },
      contextmenu: (_event, view) => {
        quiet = true;
        view.dispatch({ effects: closeHoverTooltips });
      },
      mouseleave: () => setHovered(null),
      mousedown(event, view) {
        const line = lineAt(view, event.clientX, event.clientY);
        if (line !== null) events.select(line);
      },
    }),
  ];

  const view = new EditorView({ parent: root, root, state: EditorState.create({ extensions: fixed }) });

  /** Cursor movement is by line and is the pane's: it also moves what lights up in the other columns. */
  function moveCursor(_view: EditorView, by: number): boolean {
    const last = lines.length - 1;
    if (last < 0) return true;
    const from = marks?.cursor ?? marks?.current[0] ?? marks?.linked[0] ?? (by > 0 ? -1 : last + 1);
    const to = Math.min(last, Math.max(0, from + by));
    events.select(to);
    reveal([to], 'nearest');
    return true;
  }

  function pageOf(target: EditorView): number {
    return Math.max(1, Math.floor(target.scrollDOM.clientHeight / target.defaultLineHeight) - 1);
  }

  function reveal(wanted: readonly number[], far: 'center' | 'nearest' = 'center'): void {
    const known = wanted.filter((line) => line >= 0 && line < view.state.doc.lines);
    const first = known[0];
    if (first === undefined) return;
    const top = view.scrollDOM.scrollTop;
    const height = view.scrollDOM.clientHeight;
    const block = view.lineBlockAt(view.state.doc.line(first + 1).from);
    const margin = view.defaultLineHeight * 2;
    const y =
      far === 'nearest' || (block.top >= top - height && block.bottom <= top + 2 * height)
        ? 'nearest'
        : 'center';
    view.dispatch({
      effects: EditorView.scrollIntoView(block.from, {
        y,
        x: 'start',
        yMargin: Math.min(margin, height / 4),
      }),
    });
  }

  return {
    setModel(model) {
      lines = model.lines;
      const scroll = view.scrollDOM.scrollTop;
      const same =
        lines.length === view.state.doc.lines &&
        lines.every(({ text }, i) => view.state.doc.line(i + 1).text === text);
      view.setState(
        EditorState.create({
          doc: lines.map(({ text }) => text).join('\n'),
          extensions: [
            fixed,
            lineClasses(lines.map(({ className }) => className)),
            options.gutterClasses.map((className, i) =>
              model.gutterWidths[i]
                ? textGutter(
                    className,
                    lines.map(({ gutters }) => gutters[i]),
                    model.gutterWidths[i],
                  )
                : [],
            ),
          ],
        }),
      );
      hoveredLine = null;
      if (marks) this.setMarks(marks);
      this.setBreakpoints(breakpoints);
      view.scrollDOM.scrollTop = same ? scroll : 0;
    },
    setMarks(next) {
      marks = next;
      const pc = new Set(next.currentKind === 'top' ? next.current : []);
      view.dispatch({ effects: [setMarks.of(next), setPcLines.of(pc)] });
    },
    setBreakpoints(next) {
      breakpoints = next;
      view.dispatch({ effects: setBreakpointMarks.of(next) });
    },
    reveal: (wanted) => reveal(wanted),
    lineAt: (x, y) => lineAt(view, x, y),
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}

function card(paragraphs: readonly string[]): HTMLElement {
  const dom = document.createElement('div');
  dom.className = 'hb-card';
  for (const text of paragraphs) dom.appendChild(document.createElement('p')).textContent = text;
  return dom;
}
