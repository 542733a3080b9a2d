import { defineStore } from 'pinia';
import { computed, markRaw, ref, shallowRef, watch } from 'vue';
import { trampolineText } from '../../shared/trampoline-text';
import type {
  ProfileView,
  TrampolineProgramSpec,
  TrampolineSpec,
  TrampolineSuggestion,
  TrampolineView,
} from '../../shared/views';
import { sentenceOf, useApi } from '../api';
import { PLAIN_SPEC, suggestionFor } from '../model/trampoline';
import { useApp } from './app';
import { useSession } from './session';
import { useSetup } from './setup';

/** A trampoline in a dialog: what it is made from can be changed, its code and frame follow. */
export const useTrampoline = defineStore('trampoline', () => {
  const api = useApi();
  const app = useApp();
  const session = useSession();
  const setup = useSetup();

  const open = ref(false);
  /** What the programs of the object want. */
  const suggestions = shallowRef<readonly TrampolineSuggestion[]>([]);
  const chosen = shallowRef<TrampolineSuggestion | null>(null);
  const spec = shallowRef<TrampolineSpec>(PLAIN_SPEC);
  const profile = shallowRef<ProfileView>(setup.profile);
  const view = shallowRef<TrampolineView | null>(null);
  const problem = ref<string | null>(null);
  const loading = ref(false);
  /** The instruction and the slot that are pointed at, -1 for none. */
  const row = ref(-1);
  const slot = ref(-1);

  const debugging = computed(() => app.page === 'debug' && session.view !== null);
  /** Arguments and result as they were suggested: then the prototype tells of them, too. */
  const prototype = computed(() => {
    const from = chosen.value;
    if (!from || from.spec.args !== spec.value.args || from.spec.result !== spec.value.result)
      return undefined;
    return from.spec.function === spec.value.function ? from.prototype : undefined;
  });
  /** What is to be done before the trampoline is the right one. */
  const advice = computed(() => {
    const { problem: guessed, spec: suggested } = chosen.value ?? {};
    const still = spec.value.args === suggested?.args && spec.value.function === suggested.function;
    return guessed !== undefined && still ? `${guessed} Fill them in.` : undefined;
  });

  let asked = 0;

  /** Opens the dialog on what the object's programs want, or on a plain trampoline. */
  async function show(): Promise<void> {
    open.value = true;
    profile.value = debugging.value && session.view ? session.view.profile : setup.profile;
    const mine = ++asked;
    const about = debugging.value ? {} : app.object && { object: app.object.id };
    try {
      const { kernel, tcc, isa } = profile.value;
      const reply = about
        ? await api.call('session.trampolines', { ...about, profile: { kernel, tcc, isa } })
        : [];
      if (mine !== asked) return;
      suggestions.value = markRaw(reply);
    } catch (error) {
      if (mine !== asked) return;
      suggestions.value = [];
      problem.value = sentenceOf(error);
    }
    const program = debugging.value ? session.view?.program : app.program?.name;
    choose(suggestionFor(suggestions.value, program) ?? null);
  }

  function choose(suggestion: TrampolineSuggestion | null): void {
    chosen.value = suggestion;
    change(suggestion?.spec ?? PLAIN_SPEC);
  }

  /** Changes what the trampoline is made from, and makes it anew. */
  function change(part: Partial<TrampolineSpec>): void {
    spec.value = { ...spec.value, ...part };
    void make();
  }
  function changeProgram(index: number, program: TrampolineProgramSpec): void {
    change({ programs: spec.value.programs.map((old, i) => (i === index ? program : old)) });
  }
  function removeProgram(index: number): void {
    change({ programs: spec.value.programs.filter((_, i) => i !== index) });
  }
  function addProgram(): void {
    const last = spec.value.programs.at(-1)?.kind ?? 'fentry';
    change({ programs: [...spec.value.programs, { kind: last }] });
  }
  function setProfile(next: ProfileView): void {
    profile.value = next;
    void make();
  }

  /** Asks for the trampoline that is chosen now; an answer that is late for that is dropped. */
  async function make(): Promise<void> {
    const mine = ++asked;
    const { kernel, tcc, isa } = profile.value;
    loading.value = true;
    try {
      const reply = await api.call('session.trampoline', {
        profile: { kernel, tcc, isa },
        spec: spec.value,
      });
      if (mine !== asked) return;
      view.value = markRaw(reply);
      problem.value = null;
      row.value = Math.min(row.value, reply.native.length - 1);
      slot.value = Math.min(slot.value, reply.slots.length - 1);
    } catch (error) {
      if (mine !== asked) return;
      view.value = null;
      problem.value = sentenceOf(error);
    } finally {
      if (mine === asked) loading.value = false;
    }
  }

  /** Points at an instruction, and at the slot that it works on. */
  function pointRow(index: number): void {
    const last = (view.value?.native.length ?? 0) - 1;
    row.value = Math.max(0, Math.min(index, last));
    slot.value = view.value?.native[row.value]?.slot ?? -1;
  }
  /** Points at a slot; the instructions that work on it light up. */
  function pointSlot(index: number): void {
    const last = (view.value?.slots.length ?? 0) - 1;
    slot.value = Math.max(0, Math.min(index, last));
    row.value = -1;
  }

  const asText = (): string =>
    view.value ? trampolineText(view.value, { prototype: prototype.value, why: true }) : '';

  watch(open, (now) => {
    if (now) return;
    asked++;
    loading.value = false;
    row.value = slot.value = -1;
  });

  return {
    open,
    suggestions,
    chosen,
    spec,
    profile,
    view,
    problem,
    loading,
    row,
    slot,
    prototype,
    advice,
    show,
    choose,
    change,
    changeProgram,
    removeProgram,
    addProgram,
    setProfile,
    pointRow,
    pointSlot,
    asText,
  };
});
