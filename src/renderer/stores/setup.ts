import { defineStore } from 'pinia';
import { computed, ref, watch } from 'vue';
import type { InputsView, ProfileView } from '../../shared/views';
import { formatHex, parseHex } from '../model/hex';
import { legalProfile } from '../model/profile';
import { useApp } from './app';
import { useSession } from './session';
import { useSettings } from './settings';

/** What the next session is started with: program, inputs as they are typed, profile. */
export const useSetup = defineStore('setup', () => {
  const app = useApp();
  const session = useSession();
  const settings = useSettings();

  const dataText = ref('');
  const ctxText = ref('');

  const hasData = computed(() => app.program?.inputs.data !== undefined);
  const hasCtx = computed(() => app.program?.inputs.ctx !== undefined);
  const data = computed(() => parseHex(dataText.value));
  const ctx = computed(() => parseHex(ctxText.value));
  const profile = computed<ProfileView>(() => legalProfile(app.info?.kernels ?? [], settings.profile));

  /** Why Start is not possible, if so: the first reason. */
  const problem = computed<string | undefined>(() => {
    if (!app.program) return 'Choose a program.';
    if (app.program.unsupported) return app.program.unsupported;
    if (hasData.value && !data.value.ok) return `Packet: ${data.value.problem}`;
    if (hasCtx.value && !ctx.value.ok) return `Context: ${ctx.value.problem}`;
    return undefined;
  });
  const ready = computed(
    () => problem.value === undefined && session.action === null && app.opening === null,
  );

  const inputs = computed<InputsView>(() => ({
    ...app.program?.inputs,
    ...(hasData.value && data.value.ok && { data: data.value.hex }),
    ...(hasCtx.value && ctx.value.ok && { ctx: ctx.value.hex }),
  }));

  /** The suggested inputs again. */
  function reset(): void {
    dataText.value = formatHex(app.suggested.data ?? '');
    ctxText.value = formatHex(app.suggested.ctx ?? '');
  }

  function setProfile(next: ProfileView): void {
    settings.change({ profile: legalProfile(app.info?.kernels ?? [], next) });
  }

  async function start(): Promise<boolean> {
    return ready.value && app.start(inputs.value, profile.value);
  }

  watch(() => app.suggested, reset, { immediate: true, flush: 'sync' });

  return {
    dataText,
    ctxText,
    hasData,
    hasCtx,
    data,
    ctx,
    profile,
    problem,
    ready,
    inputs,
    reset,
    setProfile,
    start,
  };
});
