import { defineStore } from 'pinia';
import { computed, markRaw, ref, shallowRef, watch } from 'vue';
import type { BreakpointSpec, FunctionView, ListingView, RunTarget } from '../../shared/views';
import { useApi } from '../api';
import { buildLinks, NO_ROWS, type LinkedRows, type Links, type RowRef } from '../model/links';
import { useNotices } from './notices';
import { useSession } from './session';

export interface ShownListing {
  readonly view: ListingView;
  readonly links: Links;
}

/** The three columns: which function they show, what is selected in them and what belongs together. */
export const useListing = defineStore('listing', () => {
  const api = useApi();
  const session = useSession();
  const notices = useNotices();

  const functions = shallowRef<readonly FunctionView[]>([]);
  const shown = shallowRef<ShownListing | null>(null);
  const loading = ref(false);
  /** Whether the columns go where the pc (of the selected frame) goes. */
  const follow = ref(true);
  const hovered = shallowRef<RowRef | null>(null);
  /** The cursor: the row that keys act on, in the column that was used last. */
  const cursor = shallowRef<RowRef | null>(null);
  /** Counts requests to bring a row into view; the columns watch it. */
  const reveal = shallowRef<{ readonly rows: LinkedRows; readonly except?: string; readonly count: number }>({
    rows: NO_ROWS,
    count: 0,
  });

  let cacheSession = '';
  const cache = new Map<string, ShownListing>();
  let wantedKey = '';
  let lastStop: number | undefined;

  const shownKey = computed(() => shown.value?.view.function.key ?? '');
  /** Rows of the selected frame's location, if its function is shown. */
  const current = computed<LinkedRows>(() => {
    const { place } = session;
    const listing = shown.value;
    if (!place || !listing || session.status === 'running' || session.status === 'ended') return NO_ROWS;
    return place.location.function === shownKey.value
      ? listing.links.at(place.location, place.waits)
      : NO_ROWS;
  });
  /** What belongs to the row that is pointed at, else to the current instruction. */
  const linked = computed<LinkedRows>(() => {
    const row = current.value.native[0];
    const ref =
      hovered.value ?? cursor.value ?? (row === undefined ? null : ({ column: 'native', row } as const));
    return ref && shown.value ? shown.value.links.of(ref) : NO_ROWS;
  });

  async function load(key: string): Promise<ShownListing | null> {
    const known = cache.get(key);
    if (known) return known;
    const asked = cacheSession;
    const view = await api.call('session.listing', { function: key });
    if (asked !== cacheSession || view.session !== asked) return null;
    const listing = markRaw({ view, links: buildLinks(view) });
    cache.set(key, listing);
    return listing;
  }

  /** Shows a function. A later request wins over an earlier one that answers late. */
  async function show(key: string): Promise<boolean> {
    wantedKey = key;
    if (shownKey.value === key) return true;
    loading.value = true;
    const ok = await notices.guard('Listing', async () => {
      const listing = await load(key);
      if (!listing || wantedKey !== key) return;
      shown.value = listing;
      cursor.value = null;
      hovered.value = null;
    });
    if (wantedKey === key) loading.value = false;
    return ok && shownKey.value === key;
  }

  /** The user chose a function: stay there until the next stop or until follow is switched on again. */
  async function choose(key: string): Promise<void> {
    if (key !== session.place?.location.function) follow.value = false;
    if ((await show(key)) && key !== session.place?.location.function)
      bringIntoView({ source: [], bpf: [0], native: [0] });
  }

  function bringIntoView(rows: LinkedRows, except?: string): void {
    reveal.value = { rows, except, count: reveal.value.count + 1 };
  }

  async function goToLocation(): Promise<void> {
    const key = session.place?.location.function;
    if (key === undefined) return;
    if (!(await show(key)) || !shown.value) return;
    // A prologue comes from no line: the source column then shows where the function begins.
    const rows = current.value;
    const begin = shown.value.view.source.findIndex(({ code }) => code);
    bringIntoView(rows.source.length > 0 || begin < 0 ? rows : { ...rows, source: [begin] });
  }

  function setFollow(on: boolean): void {
    follow.value = on;
    if (on) void goToLocation();
  }

  /** The user put the cursor on a row: the others light up and come into view. */
  function select(ref: RowRef): void {
    cursor.value = ref;
    if (shown.value) bringIntoView(shown.value.links.of(ref), ref.column);
  }

  /** Puts the cursor on a row from elsewhere (go to, a pane): every column shows it. */
  function point(ref: RowRef): void {
    cursor.value = ref;
    if (shown.value) bringIntoView(shown.value.links.of(ref));
  }

  /** The run target, or place for a breakpoint, that a row stands for. A line without code stands for the next one. */
  function targetOf(ref: RowRef | null): RunTarget | undefined {
    const listing = shown.value?.view;
    if (!listing || !ref) return undefined;
    if (ref.column === 'native') {
      const row = listing.native[ref.row];
      return row && { kind: 'native', address: row.address };
    }
    if (ref.column === 'bpf') {
      const row = listing.bpf[ref.row];
      const slot = row && (row.continuation ? row.slot - 1 : row.slot);
      return slot === undefined ? undefined : { kind: 'bpf', function: listing.function.key, slot };
    }
    const row = listing.source[ref.row];
    return row && { kind: 'line', file: row.file, line: row.line };
  }

  /** Where F9 and run-to-cursor act when no row was chosen: the current native instruction. */
  function cursorTarget(): BreakpointSpec | undefined {
    const row = current.value.native[0];
    return targetOf(cursor.value ?? (row === undefined ? null : { column: 'native', row }));
  }

  async function startSession(id: string): Promise<void> {
    cacheSession = id;
    cache.clear();
    shown.value = null;
    cursor.value = null;
    hovered.value = null;
    functions.value = [];
    follow.value = true;
    lastStop = undefined;
    await notices.guard('Functions', async () => {
      const list = await api.call('session.functions', {});
      if (cacheSession === id) functions.value = list;
    });
  }

  watch(
    () => session.view?.session ?? '',
    (id) => {
      if (id !== cacheSession) void startSession(id);
    },
    { immediate: true, flush: 'sync' },
  );
  watch(
    () => [session.view?.session, session.view?.stop, session.status, session.place?.location.pc] as const,
    ([, stop, status]) => {
      if (status === 'running' || status === 'none') return;
      if (stop !== lastStop) {
        lastStop = stop;
        cursor.value = null;
        hovered.value = null;
        const key = session.place?.location.function;
        if (key !== undefined && !functions.value.some((f) => f.key === key)) void startFunctions();
      }
      if (follow.value || session.selectedFrame > 0) void goToLocation();
    },
    { immediate: true },
  );

  async function startFunctions(): Promise<void> {
    const id = cacheSession;
    const list = await api.call('session.functions', {}).catch(() => null);
    if (list && id === cacheSession) functions.value = list;
  }

  return {
    functions,
    shown,
    shownKey,
    loading,
    follow,
    hovered,
    cursor,
    reveal,
    current,
    linked,
    show,
    choose,
    select,
    point,
    setFollow,
    goToLocation,
    bringIntoView,
    targetOf,
    cursorTarget,
  };
});
