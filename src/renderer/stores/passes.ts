import { defineStore } from 'pinia';
import { computed, markRaw, ref, shallowRef, watch } from 'vue';
import type { PassesView } from '../../shared/views';
import { sentenceOf, useApi } from '../api';
import { useListing } from './listing';
import { useSession } from './session';

/** The JIT's pass log of the function that the columns show, in a dialog. */
export const usePasses = defineStore('passes', () => {
  const api = useApi();
  const session = useSession();
  const listing = useListing();

  const open = ref(false);
  const view = shallowRef<PassesView | null>(null);
  const problem = ref<string | null>(null);
  const available = computed(() => session.view !== null && listing.shownKey !== '');

  /** Opens the dialog and asks for the pass log; an answer that comes when it is closed again is dropped. */
  async function show(): Promise<void> {
    if (!available.value) return;
    const key = listing.shownKey;
    open.value = true;
    problem.value = null;
    if (view.value?.session === session.view?.session && view.value?.function.key === key) return;
    view.value = null;
    const wanted = (): boolean => open.value && listing.shownKey === key;
    try {
      const reply = await api.call('session.passes', { function: key });
      if (wanted() && reply.session === session.view?.session) view.value = markRaw(reply);
    } catch (error) {
      if (wanted()) problem.value = sentenceOf(error);
    }
  }

  // The dialog is about one session.
  watch(
    () => session.view?.session,
    () => {
      open.value = false;
      view.value = null;
    },
  );

  return { open, view, problem, available, show };
});
