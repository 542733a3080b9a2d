import { defineStore } from 'pinia';
import { computed, markRaw, ref, shallowRef, watch } from 'vue';
import { compareRunsText, compareText } from '../../shared/compare-text';
import type { CompareRunsView, CompareView, InputsView, ProfileView } from '../../shared/views';
import { sentenceOf, useApi } from '../api';
import { differences, displayLines, nextDifference } from '../model/compare-lines';
import { legalProfile, sameProfile, schemesOf } from '../model/profile';
import { useApp } from './app';
import { useListing } from './listing';
import { useSession } from './session';
import { useSettings } from './settings';
import { useSetup } from './setup';

export const RUN_LIMITS = [1_000_000, 10_000_000, 100_000_000] as const;

/** What a comparison is about. Without an object it is the session's. */
interface Subject {
  readonly object?: string;
  readonly program: string;
}

/** Two profiles of one program beside each other: the code of a function, and what both runs come to. */
export const useCompare = defineStore('compare', () => {
  const api = useApi();
  const app = useApp();
  const session = useSession();
  const setup = useSetup();
  const settings = useSettings();
  const listing = useListing();

  /** Shown somewhere: only then does it follow what is chosen. */
  const active = ref(0);
  const shows = ref<'code' | 'runs'>('code');
  const view = shallowRef<CompareView | null>(null);
  const problem = ref<string | null>(null);
  const loading = ref(false);
  const onlyDifferences = ref(false);
  const runs = shallowRef<CompareRunsView | null>(null);
  const runsProblem = ref<string | null>(null);
  const running = ref(false);
  const limit = ref<number>(RUN_LIMITS[0]);
  /** The line that keys act on, -1 for none. */
  const cursor = ref(-1);
  /** Counts requests to bring the cursor into view. */
  const reveal = ref(0);

  const onSession = computed(() => app.page === 'debug' && session.view !== null);
  /** Programs to choose from; those of the open object, if the session's program is one of them. */
  const programs = computed<readonly string[]>(() => {
    const names = (app.object?.programs ?? []).filter((p) => !p.unsupported).map(({ name }) => name);
    const current = session.view?.program;
    if (!onSession.value || current === undefined) return names;
    return app.object?.name === session.view?.object && names.includes(current) ? names : [current];
  });
  const chosenProgram = ref<string | null>(null);
  const subject = computed<Subject | null>(() => {
    const usual = onSession.value ? session.view?.program : app.program?.name;
    const program = chosenProgram.value ?? usual;
    if (program === undefined) return null;
    const ofOpenObject = app.object && (!onSession.value || app.object.name === session.view?.object);
    return ofOpenObject ? { object: app.object?.id, program } : { program };
  });
  const inputs = computed<InputsView>(() =>
    onSession.value && session.view ? session.view.inputs : setup.inputs,
  );

  /** The session's profile stands at the left, until another one is chosen. */
  const usualLeft = computed<ProfileView>(() =>
    onSession.value && session.view ? session.view.profile : setup.profile,
  );
  const chosenLeft = shallowRef<ProfileView | null>(null);
  const left = computed<ProfileView>(() => chosenLeft.value ?? usualLeft.value);
  const right = computed<ProfileView>(() => remembered() ?? counterpart(left.value));

  function remembered(): ProfileView | null {
    const { kernel, tcc, isa } = settings.layoutPart('compare');
    if (typeof kernel !== 'string' || typeof tcc !== 'string' || typeof isa !== 'string') return null;
    const wanted = { kernel, tcc, isa };
    const legal = legalProfile(app.info?.kernels ?? [], wanted);
    return sameProfile(legal, left.value) ? null : legal;
  }

  /** What a profile is usually compared with: what its kernel ships, or, for that, the scheme of this project. */
  function counterpart(profile: ProfileView): ProfileView {
    const schemes = schemesOf(app.info?.kernels ?? [], profile.kernel);
    const tcc = [...schemes.slice(0, 1), ...schemes.toReversed()].find((scheme) => scheme !== profile.tcc);
    return { ...profile, tcc: tcc ?? profile.tcc };
  }

  function setLeft(profile: ProfileView): void {
    chosenLeft.value = sameProfile(profile, usualLeft.value) ? null : profile;
  }
  function setRight(profile: ProfileView): void {
    settings.changeLayout('compare', { ...profile });
  }
  function swap(): void {
    const [before, after] = [left.value, right.value];
    setRight(before);
    setLeft(after);
  }

  /** Key of the function that is asked for; null = the one that the columns show, or main. */
  const chosenFunction = ref<string | null>(null);
  const wantedFunction = computed<string | undefined>(() => {
    const program = subject.value?.program;
    const shown = listing.shownKey;
    return chosenFunction.value ?? (onSession.value && shown.startsWith(`${program}/`) ? shown : undefined);
  });

  let asked = 0;
  /** Fetches the comparison that is chosen now; a later request wins over an earlier one that answers late. */
  async function load(): Promise<void> {
    const about = subject.value;
    if (!about) return;
    const mine = ++asked;
    loading.value = true;
    try {
      const reply = await api.call('session.compare', {
        ...about,
        function: wantedFunction.value,
        left: left.value,
        right: right.value,
      });
      if (mine !== asked) return;
      const kept = view.value?.function === reply.function ? cursor.value : -1;
      view.value = markRaw(reply);
      problem.value = null;
      cursor.value = Math.min(kept, lines.value.length - 1);
    } catch (error) {
      if (mine !== asked) return;
      view.value = null;
      problem.value = sentenceOf(error);
    } finally {
      if (mine === asked) loading.value = false;
    }
  }

  let askedRuns = 0;
  async function compareRuns(): Promise<void> {
    const about = subject.value;
    if (!about) return;
    const mine = ++askedRuns;
    running.value = true;
    runsProblem.value = null;
    try {
      const reply = await api.call('session.compareRuns', {
        ...about,
        left: left.value,
        right: right.value,
        inputs: inputs.value,
        limit: limit.value,
      });
      if (mine === askedRuns) runs.value = reply;
    } catch (error) {
      if (mine === askedRuns) runsProblem.value = sentenceOf(error);
    } finally {
      if (mine === askedRuns) running.value = false;
    }
  }

  const lines = computed(() => (view.value ? markRaw(displayLines(view.value, onlyDifferences.value)) : []));
  const stations = computed(() => (view.value ? differences(lines.value, view.value) : []));
  /** Which difference the cursor is at, counted from 1; 0 when it is at none. */
  const station = computed(() => {
    const line = lines.value[cursor.value];
    if (line?.kind !== 'code') return 0;
    const first = lines.value.findIndex((other) => other.kind === 'code' && other.row === line.row);
    return stations.value.indexOf(first) + 1;
  });

  /** The last line of the row that begins with a line; the line itself elsewhere. */
  function lastLineOfRow(line: number): number {
    const at = lines.value[line];
    if (at?.kind !== 'code' || !at.first) return line;
    let last = line;
    for (let next = lines.value[line + 1]; next?.kind === 'code' && next.row === at.row; last++) {
      next = lines.value[last + 2];
    }
    return last;
  }

  function point(line: number): void {
    if (lines.value.length === 0) return;
    cursor.value = Math.max(0, Math.min(line, lines.value.length - 1));
    reveal.value++;
  }
  function step(back: boolean): void {
    const next = nextDifference(stations.value, cursor.value, back);
    if (next !== undefined) point(next);
  }

  function setOnlyDifferences(on: boolean): void {
    const line = lines.value[cursor.value];
    onlyDifferences.value = on;
    const row = line?.kind === 'code' ? line.row : -1;
    cursor.value = lines.value.findIndex((other) => other.kind === 'code' && other.row === row);
    if (cursor.value >= 0) reveal.value++;
  }

  const hasText = computed(() => (shows.value === 'runs' ? runs.value : view.value) !== null);
  /** What is shown, as text. */
  function asText(): string {
    if (shows.value === 'runs') return runs.value ? compareRunsText(runs.value) : '';
    return view.value ? compareText(view.value, { onlyDifferences: onlyDifferences.value }) : '';
  }

  /** What the view was asked for, so that a pane that comes back shows it without asking again. */
  let loadedFor = '';
  watch(
    () =>
      active.value > 0 &&
      JSON.stringify([session.view?.session, subject.value, wantedFunction.value, left.value, right.value]),
    (wanted) => {
      if (wanted === false || wanted === loadedFor) return;
      loadedFor = wanted;
      void load();
    },
    { flush: 'post', immediate: true },
  );
  // What was run is of the profiles, the program and the inputs that were chosen then.
  watch(
    () => JSON.stringify([subject.value, left.value, right.value, inputs.value, limit.value]),
    () => {
      askedRuns++;
      runs.value = null;
      runsProblem.value = null;
      running.value = false;
    },
  );
  watch(
    () => [session.view?.session, app.object?.id, app.page],
    () => {
      chosenProgram.value = null;
      chosenFunction.value = null;
      chosenLeft.value = null;
    },
  );
  watch(
    () => subject.value?.program,
    () => (chosenFunction.value = null),
  );

  return {
    active,
    shows,
    view,
    problem,
    loading,
    onlyDifferences,
    runs,
    runsProblem,
    running,
    limit,
    cursor,
    reveal,
    programs,
    chosenProgram,
    subject,
    chosenFunction,
    left,
    right,
    lines,
    stations,
    station,
    setLeft,
    setRight,
    lastLineOfRow,
    swap,
    load,
    compareRuns,
    point,
    step,
    setOnlyDifferences,
    hasText,
    asText,
  };
});
