import type { DockviewApi, SerializedDockview } from 'dockview-vue';
import { defineStore } from 'pinia';
import { ref, shallowRef } from 'vue';
import { useSettings } from './settings';

export const PANES = [
  { id: 'source', title: 'Source' },
  { id: 'bpf', title: 'BPF' },
  { id: 'native', title: 'Native' },
  { id: 'registers', title: 'Registers' },
  { id: 'stack', title: 'Call stack' },
  { id: 'frame', title: 'Frame' },
  { id: 'console', title: 'Console' },
  { id: 'breakpoints', title: 'Breakpoints' },
  { id: 'maps', title: 'Maps' },
  { id: 'memory', title: 'Memory' },
  { id: 'compare', title: 'Compare' },
  { id: 'pipeline', title: 'Pipeline' },
] as const;
export type PaneId = (typeof PANES)[number]['id'];

/** The name under which a pane's component is registered. */
export const paneComponent = (id: string) => `Pane-${id}`;

/** Layouts of another version are not restored: their panes may be others. */
const LAYOUT_VERSION = 1;

/** Where the panes are: dockview holds the truth, this remembers it and opens, focuses and resets panes. */
export const useLayout = defineStore('layout', () => {
  const settings = useSettings();
  const dock = shallowRef<DockviewApi | null>(null);
  /** Panes that are open, in whatever group. */
  const open = ref<readonly string[]>([]);
  /** Panes whose content is on screen. */
  const visible = ref<readonly string[]>([]);
  /** One pane fills the window in place of all others. */
  const maximized = ref(false);

  function attach(api: DockviewApi): void {
    dock.value = api;
    if (!restore(api)) buildDefault(api);
    note();
    api.onDidLayoutChange(() => {
      note();
      settings.changeLayout('dock', { version: LAYOUT_VERSION, state: api.toJSON() });
    });
    api.onDidActivePanelChange(note);
    api.onDidMaximizedGroupChange(note);
  }

  function detach(): void {
    dock.value = null;
    open.value = [];
    visible.value = [];
    maximized.value = false;
  }

  function note(): void {
    if (!dock.value) return;
    maximized.value = dock.value.hasMaximizedGroup();
    open.value = dock.value.panels.map(({ id }) => id);
    visible.value = dock.value.groups.flatMap(({ activePanel }) => (activePanel ? [activePanel.id] : []));
  }

  function restore(api: DockviewApi): boolean {
    const saved = settings.layoutPart('dock');
    if (saved.version !== LAYOUT_VERSION) return false;
    try {
      api.fromJSON(saved.state as SerializedDockview);
      return api.panels.length > 0;
    } catch {
      api.clear();
      return false;
    }
  }

  function reset(): void {
    if (!dock.value) return;
    dock.value.clear();
    buildDefault(dock.value);
    note();
  }

  /** Opens a pane that was closed beside its usual neighbours, and focuses it. */
  function show(id: PaneId): void {
    const api = dock.value;
    if (!api) return;
    const panel = api.getPanel(id) ?? addPane(api, id, placeFor(api, id), undefined, heightFor(api, id));
    // A pane that fills the window would hide this one.
    if (api.hasMaximizedGroup() && !panel.group.api.isMaximized()) api.exitMaximizedGroup();
    panel.api.setActive();
    note();
    // The first focusable thing in the pane, once dockview has put it on screen.
    requestAnimationFrame(() => {
      const pane = document.querySelector<HTMLElement>(`[data-pane="${id}"]`);
      const inner = pane?.querySelector<HTMLElement>('[data-focus]');
      const inShadow = inner?.shadowRoot?.querySelector<HTMLElement>('[tabindex="0"]');
      (inShadow ?? inner ?? pane)?.focus();
    });
  }

  /** Shows a pane (the one in front, unless one is named) in place of all others, or puts the others back. */
  function toggleMaximized(id?: PaneId): void {
    const panel = id === undefined ? dock.value?.activePanel : dock.value?.getPanel(id);
    if (!panel) return;
    if (panel.api.isMaximized()) panel.api.exitMaximized();
    else panel.api.maximize();
    note();
  }

  function close(id: PaneId): void {
    dock.value?.getPanel(id)?.api.close();
  }

  return { dock, open, visible, maximized, attach, detach, reset, show, toggleMaximized, close };
});

type Place = Parameters<DockviewApi['addPanel']>[0]['position'];

function addPane(
  api: DockviewApi,
  id: PaneId,
  position?: Place,
  initialWidth?: number,
  initialHeight?: number,
) {
  const title = PANES.find((pane) => pane.id === id)?.title ?? id;
  return api.addPanel({ id, component: paneComponent(id), title, position, initialWidth, initialHeight });
}

/** A comparison takes its share of the window's whole width; other panes the usual height. */
function heightFor(api: DockviewApi, id: PaneId): number | undefined {
  return id === 'compare' ? Math.round(api.height * 0.55) : undefined;
}

/** Beside a pane of its usual group, else at the right; a comparison below everything, as wide as the window. */
function placeFor(api: DockviewApi, id: PaneId): Place {
  if (id === 'compare') return { direction: 'below' };
  const groups: readonly (readonly PaneId[])[] = [
    ['source', 'bpf', 'native'],
    ['registers', 'frame'],
    ['console', 'breakpoints', 'maps', 'memory', 'pipeline', 'stack'],
  ];
  const mates = groups.find((group) => group.includes(id)) ?? [];
  const mate = mates.find((other) => other !== id && api.getPanel(other));
  return mate ? { referencePanel: mate, direction: 'within' } : { direction: 'right' };
}

/**
 * The first layout: three columns over call stack and console at the left, registers over the frame at the right.
 * Sizes are shares of the space there is.
 */
function buildDefault(api: DockviewApi): void {
  const width = api.width || 1280;
  const height = api.height || 700;
  const side = Math.round(Math.min(400, width * 0.305));
  // Low windows give the panes below a larger share: a pane of three lines shows nothing.
  const bottom = Math.round(Math.max(height * 0.3, Math.min(190, height * 0.4)));
  addPane(api, 'source');
  addPane(api, 'registers', { referencePanel: 'source', direction: 'right' }, side);
  addPane(api, 'stack', { referencePanel: 'source', direction: 'below' }, undefined, bottom);
  addPane(api, 'console', { referencePanel: 'stack', direction: 'right' });
  for (const id of ['breakpoints', 'maps', 'memory', 'pipeline'] as const) {
    addPane(api, id, { referencePanel: 'console', direction: 'within' });
  }
  addPane(api, 'bpf', { referencePanel: 'source', direction: 'right' });
  addPane(api, 'native', { referencePanel: 'bpf', direction: 'right' });
  addPane(api, 'frame', { referencePanel: 'registers', direction: 'below' });
  const size = (id: PaneId, part: { width?: number; height?: number }) =>
    api.getPanel(id)?.group.api.setSize(part);
  const columns = width - side;
  size('registers', { width: side, height: Math.round(height * 0.6) });
  size('source', { width: Math.round(columns * 0.32), height: height - bottom });
  size('bpf', { width: Math.round(columns * 0.3) });
  size('stack', { width: Math.round(columns * 0.34), height: bottom });
  api.getPanel('console')?.api.setActive();
  api.getPanel('native')?.api.setActive();
}
