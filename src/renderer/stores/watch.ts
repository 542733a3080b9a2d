import { defineStore } from 'pinia';
import { computed, ref, shallowRef, watch } from 'vue';
import { RequestError } from '../../shared/api';
import type { LastWriteView, LocationView, WriteTarget } from '../../shared/views';
import { sentenceOf, useApi } from '../api';
import { firstByte, rangeLength, type ByteRange } from '../model/byte-range';
import { hexAddress } from '../model/address';
import { EMPTY_DRAFT, canWatch, specOf, targetName, type WatchDraft } from '../model/watch';
import { useBreakpoints } from './breakpoints';
import { useListing } from './listing';
import { useSession } from './session';

/** The pane that a question was asked in: the answer shows there. */
export type AskingPane = 'registers' | 'memory' | 'frame';

/** Watchpoints in the making, and the question who wrote something last with its answer. */
export const useWatch = defineStore('watch', () => {
  const api = useApi();
  const session = useSession();
  const breakpoints = useBreakpoints();
  const listing = useListing();

  /** The new watchpoint that the dialog shows; null while it is closed. */
  const draft = shallowRef<WatchDraft | null>(null);
  const problem = ref<string | null>(null);

  /** What is chosen in the panes: commands without a mouse act on it. */
  const register = ref<number | null>(null);
  const bytes = shallowRef<ByteRange | null>(null);

  const asked = shallowRef<{ readonly pane: AskingPane; readonly label: string } | null>(null);
  const answer = shallowRef<LastWriteView | null>(null);
  const refusal = ref<string | null>(null);
  const searching = computed(() => asked.value !== null && answer.value === null && refusal.value === null);

  const registers = computed(() => session.registers?.registers ?? []);
  const registerTarget = computed<WriteTarget | undefined>(() =>
    register.value !== null && canWatch(register.value)
      ? { kind: 'register', register: register.value }
      : undefined,
  );
  const memoryTarget = computed<WriteTarget | undefined>(() =>
    bytes.value
      ? { kind: 'memory', address: hexAddress(firstByte(bytes.value)), length: rangeLength(bytes.value) }
      : undefined,
  );

  /** Opens the dialog for a new watchpoint, filled in with a target. */
  function compose(target?: WriteTarget, more: Partial<WatchDraft> = {}): void {
    problem.value = null;
    const given: Partial<WatchDraft> =
      target?.kind === 'memory'
        ? { kind: 'memory', address: target.address, length: String(target.length) }
        : target
          ? { kind: 'register', register: target.register }
          : {};
    draft.value = { ...EMPTY_DRAFT, ...given, ...more };
  }

  function change(part: Partial<WatchDraft>): void {
    if (draft.value) draft.value = { ...draft.value, ...part };
    problem.value = null;
  }

  function close(): void {
    draft.value = null;
    problem.value = null;
  }

  /** Sets the watchpoint of the dialog. True when that went well; else the dialog says what is wrong. */
  async function set(): Promise<boolean> {
    if (!draft.value) return false;
    const made = specOf(draft.value, registers.value);
    if ('problem' in made) {
      problem.value = made.problem;
      return false;
    }
    if (!(await breakpoints.add(made.spec))) return false;
    close();
    return true;
  }

  /** Asks who wrote a register or bytes last. The session stays where it stands. */
  async function ask(target: WriteTarget, pane: AskingPane): Promise<void> {
    if (!session.canMoveBack || searching.value) return;
    const question = { pane, label: targetName(target, registers.value) };
    asked.value = question;
    answer.value = null;
    refusal.value = null;
    try {
      const reply = await api.call('session.lastWrite', { target });
      if (asked.value === question) answer.value = reply;
    } catch (error) {
      if (asked.value !== question) return;
      // The user has ended the search.
      if (error instanceof RequestError && error.code === 'debugger/interrupted') dismiss();
      else refusal.value = sentenceOf(error);
    }
  }

  function dismiss(): void {
    asked.value = null;
    answer.value = null;
    refusal.value = null;
  }

  /** Points at an instruction in the columns. */
  async function show({ function: key, pc }: LocationView): Promise<void> {
    if (key === undefined) return;
    await listing.choose(key);
    const row = listing.shown?.links.nativeRow(pc);
    if (row !== undefined) listing.point({ column: 'native', row });
  }

  /** Goes back in time to right before the write. */
  async function goThere(): Promise<boolean> {
    return answer.value !== null && session.goTo(answer.value.time);
  }

  // An answer is about the stop that it was asked at.
  watch(
    () => [session.view?.session, session.view?.stop],
    () => {
      if (answer.value && !session.isCurrent(answer.value)) dismiss();
      if (refusal.value !== null) dismiss();
    },
  );
  watch(
    () => session.view?.session,
    () => {
      dismiss();
      close();
      bytes.value = null;
    },
  );

  return {
    draft,
    problem,
    register,
    bytes,
    asked,
    answer,
    refusal,
    searching,
    registers,
    registerTarget,
    memoryTarget,
    compose,
    change,
    close,
    set,
    ask,
    dismiss,
    show,
    goThere,
  };
});
