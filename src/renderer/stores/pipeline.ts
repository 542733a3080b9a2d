import { defineStore } from 'pinia';
import { ref, shallowRef, watch } from 'vue';
import type { PipelineView } from '../../shared/views';
import { sentenceOf, useApi } from '../api';
import { isMovedOn, useSession } from './session';

/** The pipeline at the present stop: fetched only while its pane shows it, since the engine replays the last instructions. */
export const usePipeline = defineStore('pipeline', () => {
  const api = useApi();
  const session = useSession();

  const view = shallowRef<PipelineView | null>(null);
  const problem = ref<string | null>(null);
  /** Panes that show it. */
  const shown = ref(0);

  async function load(): Promise<void> {
    if (shown.value === 0 || !session.view || session.status === 'running') return;
    try {
      const reply = await api.call('session.pipeline', {});
      if (!session.isCurrent(reply)) return;
      view.value = reply;
      problem.value = null;
    } catch (error) {
      if (isMovedOn(error)) return;
      view.value = null;
      problem.value = sentenceOf(error);
    }
  }

  watch(
    () => [session.view?.session, session.view?.stop, session.status, shown.value] as const,
    () => {
      if (view.value && view.value.session !== session.view?.session) view.value = null;
      void load();
    },
    { immediate: true },
  );

  return { view, problem, shown };
});
