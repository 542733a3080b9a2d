import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import { RequestError } from '../../shared/api';
import type { Params } from '../../shared/contract';
import type {
  FrameView,
  Granularity,
  LocationView,
  RegistersView,
  RunTarget,
  SessionView,
  StackView,
  StepKind,
} from '../../shared/views';
import { sentenceOf, useApi } from '../api';
import { useNotices } from './notices';
import { useSettings } from './settings';

/** The stop that a reply must belong to. */
export interface StopId {
  readonly session: string;
  readonly stop: number;
}

/** A place in BPF code. */
export interface CodePlace {
  readonly location: LocationView;
  /** The code waits there for a call to return: the pc is the return address, behind the call. */
  readonly waits: boolean;
}

/** True for the refusal of a question about a stop that is over: the program runs again, or the session has ended. */
export function isMovedOn(error: unknown): boolean {
  return error instanceof RequestError && ['debugger/running', 'debugger/no-session'].includes(error.code);
}

/** Requests that move the session; one at a time. */
type Action = 'start' | 'restart' | 'end' | 'step' | 'continue' | 'run-to';

/** Those that let the program run. */
const MOVES: readonly Action[] = ['continue', 'run-to'];

/** The session under the window: its state, and what is shown of its last stop. */
export const useSession = defineStore('session', () => {
  const api = useApi();
  const notices = useNotices();
  const settings = useSettings();

  const view = shallowRef<SessionView | null>(null);
  const registers = shallowRef<RegistersView | null>(null);
  const stack = shallowRef<StackView | null>(null);
  const frame = shallowRef<FrameView | null>(null);
  const frameProblem = ref<string | null>(null);
  const selectedFrame = ref(0);
  /** The action under way, and the stop that it set out from. */
  const underway = shallowRef<{ readonly name: Action; readonly from: StopId | null } | null>(null);
  const action = computed<Action | null>(() => underway.value?.name ?? null);
  const pausing = ref(false);
  const retired = new Set<string>();

  const status = computed(() => view.value?.status ?? 'none');
  const running = computed(() => status.value === 'running' || action.value === 'step');
  /** It runs, or has been asked to: a pause that follows at once counts. */
  const canPause = computed(
    () => !pausing.value && (running.value || (action.value !== null && MOVES.includes(action.value))),
  );
  const canMove = computed(() => status.value === 'stopped' && action.value === null);
  /** Back in time it goes from the end, too. */
  const canMoveBack = computed(() => ['stopped', 'ended'].includes(status.value) && action.value === null);
  /** The frames of the stop that is shown; none while they are on their way. */
  const frames = computed(() => (stack.value && isCurrent(stack.value) ? stack.value.frames : []));
  /**
   * The place in BPF code that the columns show: where the selected frame is or, for a frame of the kernel (a helper at
   * work), the call in the next frame outwards that led there.
   */
  const place = computed<CodePlace | undefined>(() => {
    const { value: index } = selectedFrame;
    const chosen = index === 0 ? view.value?.location : frames.value[index]?.location;
    if (chosen?.function !== undefined) return { location: chosen, waits: index > 0 };
    const outer = frames.value.find((frame) => frame.index > index && frame.location.function !== undefined);
    return outer && { location: outer.location, waits: true };
  });

  function isCurrent(id: StopId): boolean {
    return view.value !== null && view.value.session === id.session && view.value.stop === id.stop;
  }

  /** Takes a state that a reply or an event brought; drops what is older than what is known. */
  function accept(next: SessionView): void {
    const now = view.value;
    if (retired.has(next.session)) return;
    if (now && now.session === next.session && next.stop < now.stop) return;
    adopt(next);
  }

  /** Takes a state whatever went before: the answer to start, restart, or the first question. */
  function adopt(next: SessionView): void {
    const now = view.value;
    const sameStop =
      now?.session === next.session &&
      now.stop === next.stop &&
      now.status === next.status &&
      now.status !== 'running';
    // A search of the past comes back to where it set out: what is shown of the stop still holds.
    const cameBack = now?.status === 'running' && now.stop === next.stop && hasShown(next);
    if (now && now.session !== next.session) retired.add(now.session);
    retired.delete(next.session);
    view.value = next;
    if (next.status !== 'running') pausing.value = false;
    if (arrived(next)) underway.value = null;
    if (next.status !== 'running' && !sameStop && !cameBack) refresh(next);
  }

  /**
   * True when a move has led to its stop. The stop may be told, and shown, before the request is answered: from then on
   * the next move can be made, else keys pressed in between would be lost.
   */
  function arrived({ session, stop, status }: SessionView): boolean {
    const from = underway.value?.from;
    return status !== 'running' && from?.session === session && stop > from.stop;
  }

  function hasShown({ session, stop }: StopId): boolean {
    return registers.value?.session === session && registers.value.stop === stop;
  }

  /** Fetches what the panes show of a stop; answers for another stop are dropped. */
  function refresh(id: StopId): void {
    selectedFrame.value = 0;
    void fetchFor(id, 'Registers', async () => {
      const reply = await api.call('session.registers', {});
      if (isCurrent(reply)) registers.value = reply;
    });
    void fetchFor(id, 'Call stack', async () => {
      const reply = await api.call('session.stack', {});
      if (!isCurrent(reply)) return;
      stack.value = reply;
      await loadFrame(id, 0);
    });
  }

  /** A question about a stop. When the session has moved on meanwhile, a refusal is no news. */
  async function fetchFor(id: StopId, title: string, request: () => Promise<void>): Promise<void> {
    try {
      await request();
    } catch (error) {
      if (!isCurrent(id) || isMovedOn(error)) return;
      notices.add('error', sentenceOf(error), title);
    }
  }

  /** Kernel functions have no frame layout: then the pane says why instead. */
  async function loadFrame(id: StopId, index: number): Promise<void> {
    const wanted = () => isCurrent(id) && index === selectedFrame.value;
    frameProblem.value = null;
    if (!stack.value?.frames[index]) {
      frame.value = null;
      return;
    }
    try {
      const reply = await api.call('session.frame', { index });
      if (wanted() && isCurrent(reply)) frame.value = reply;
    } catch (error) {
      if (!wanted() || isMovedOn(error)) return;
      frame.value = null;
      frameProblem.value = sentenceOf(error);
    }
  }

  function selectFrame(index: number): void {
    if (!view.value || status.value === 'running' || !stack.value?.frames[index]) return;
    selectedFrame.value = index;
    void loadFrame(view.value, index);
  }

  async function act(
    name: Action,
    title: string,
    request: () => Promise<SessionView>,
    fresh = false,
  ): Promise<boolean> {
    if (underway.value !== null) return false;
    const mine = { name, from: fresh ? null : view.value };
    underway.value = mine;
    try {
      return await notices.guard(title, async () => {
        const next = await request();
        if (fresh) adopt(next);
        else accept(next);
      });
    } finally {
      if (underway.value === mine) underway.value = null;
    }
  }

  function start(params: Params<'session.start'>): Promise<boolean> {
    return act(
      'start',
      'Start',
      async () => {
        const next = await api.call('session.start', params);
        forgetStop();
        return next;
      },
      true,
    );
  }

  function restart(): Promise<boolean> {
    return act('restart', 'Restart', () => api.call('session.restart', {}), true);
  }

  async function end(): Promise<boolean> {
    if (!view.value) return true;
    const ok = await notices.guard('End', () => api.call('session.end', {}));
    if (ok) {
      retired.add(view.value.session);
      view.value = null;
      forgetStop();
    }
    return ok;
  }

  function forgetStop(): void {
    registers.value = null;
    stack.value = null;
    frame.value = null;
    selectedFrame.value = 0;
  }

  const STEP_TITLES: Record<StepKind, string> = { into: 'Step into', over: 'Step over', out: 'Step out' };

  async function step(kind: StepKind, granularity: Granularity = settings.granularity): Promise<boolean> {
    if (!canMove.value) return false;
    return act('step', STEP_TITLES[kind], () => api.call('session.step', { step: kind, granularity }));
  }

  /** Goes back to where the step with the same name would have begun. */
  async function stepBack(kind: StepKind): Promise<boolean> {
    if (!canMoveBack.value) return false;
    const request = { step: kind, granularity: settings.granularity };
    return act('step', `${STEP_TITLES[kind]}, back in time`, () => api.call('session.stepBack', request));
  }

  async function resumeBack(): Promise<boolean> {
    if (!canMoveBack.value) return false;
    return act('continue', 'Continue back in time', () => api.call('session.reverseContinue', {}));
  }

  /** Goes to an instant that an answer has named. */
  async function goTo(time: number): Promise<boolean> {
    if (!canMoveBack.value) return false;
    return act('step', 'Go there', () => api.call('session.goTo', { time }));
  }

  async function resume(): Promise<boolean> {
    if (!canMove.value) return false;
    return act('continue', 'Continue', () => api.call('session.continue', {}));
  }

  async function runTo(target: RunTarget): Promise<boolean> {
    if (!canMove.value) return false;
    return act('run-to', 'Run to cursor', () => api.call('session.runTo', { target }));
  }

  /** Runs to a cycle, or goes back to one that has passed. */
  async function runToCycle(cycle: number): Promise<boolean> {
    if (!canMoveBack.value) return false;
    return act('run-to', 'Run to cycle', () => api.call('session.runToCycle', { cycle }));
  }

  async function pause(): Promise<boolean> {
    if (!canPause.value) return false;
    pausing.value = true;
    const ok = await notices.guard('Pause', async () => accept(await api.call('session.pause', {})));
    pausing.value = false;
    return ok;
  }

  api.on('session.changed', accept);

  return {
    view,
    registers,
    stack,
    frame,
    frameProblem,
    selectedFrame,
    action,
    pausing,
    status,
    running,
    canPause,
    canMove,
    canMoveBack,
    place,
    isCurrent,
    adopt,
    selectFrame,
    start,
    restart,
    end,
    step,
    stepBack,
    resume,
    resumeBack,
    goTo,
    runTo,
    runToCycle,
    pause,
  };
});
