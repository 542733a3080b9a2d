import { useEventListener, useMediaQuery } from '@vueuse/core';
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import type { Settings } from '../../shared/contract';
import type { Timing } from '../../shared/timings';
import type { Granularity, ProfileView } from '../../shared/views';
import { useApi } from '../api';
import { DEFAULT_PROFILE } from '../model/profile';
import { useNotices } from './notices';

export type Theme = NonNullable<Settings['theme']>;
export const THEMES: readonly { readonly value: Theme; readonly label: string }[] = [
  { value: 'system', label: 'System' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
  { value: 'high-contrast', label: 'High contrast' },
];

export const FONT_SIZES = { least: 9, usual: 12, most: 22 } as const;
const SAVE_DELAY = 400;
const MOST_RECENT = 8;

/** What the window remembers. Saved shortly after each change, or when the page goes; a failed save is said once. */
export const useSettings = defineStore('settings', () => {
  const api = useApi();
  const notices = useNotices();
  const saved = shallowRef<Settings>({});
  const loaded = ref(false);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let complained = false;

  const theme = computed<Theme>(() => saved.value.theme ?? 'system');
  const granularity = computed<Granularity>(() => saved.value.granularity ?? 'bpf');
  const fontSize = computed(() => saved.value.fontSize ?? FONT_SIZES.usual);
  const profile = computed<ProfileView>(() => saved.value.profile ?? DEFAULT_PROFILE);
  /** The timing profile of new sessions. */
  const timing = computed<Timing>(() => saved.value.timing ?? 'rocket');
  const recent = computed(() => saved.value.recent ?? []);

  const systemDark = useMediaQuery('(prefers-color-scheme: dark)');
  const systemContrast = useMediaQuery('(prefers-contrast: more)');
  /** The theme that is shown: what `system` means on this system just now. */
  const shownTheme = computed<Exclude<Theme, 'system'>>(() => {
    if (theme.value !== 'system') return theme.value;
    if (systemContrast.value) return 'high-contrast';
    return systemDark.value ? 'dark' : 'light';
  });

  async function load(): Promise<void> {
    saved.value = await api.call('app.settings', {});
    loaded.value = true;
  }

  function change(part: Partial<Settings>): void {
    saved.value = { ...saved.value, ...part };
    clearTimeout(timer);
    timer = setTimeout(() => void save(), SAVE_DELAY);
  }

  /** A named part of the remembered layout, as it was saved; nobody vouches for its shape. */
  function layoutPart(name: string): Readonly<Record<string, unknown>> {
    const part = saved.value.layout?.[name];
    return typeof part === 'object' && part !== null ? (part as Readonly<Record<string, unknown>>) : {};
  }

  function changeLayout(name: string, part: Readonly<Record<string, unknown>>): void {
    change({ layout: { ...saved.value.layout, [name]: part } });
  }

  /** Writes what has changed and not been written yet. */
  async function save(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    try {
      await api.call('app.saveSettings', { settings: saved.value });
    } catch (error) {
      if (complained) return;
      complained = true;
      notices.add(
        'error',
        `${String(error instanceof Error ? error.message : error)}`,
        'Settings were not saved',
      );
    }
  }

  useEventListener(window, 'pagehide', () => {
    if (timer !== undefined) void save();
  });

  function setFontSize(size: number): void {
    change({ fontSize: Math.min(FONT_SIZES.most, Math.max(FONT_SIZES.least, size)) });
  }

  /** Puts a file in front of the recent ones. */
  function remember(name: string, path: string): void {
    const others = recent.value.filter((entry) => entry.path !== path);
    change({ recent: [{ name, path }, ...others].slice(0, MOST_RECENT) });
  }

  function forget(path: string): void {
    change({ recent: recent.value.filter((entry) => entry.path !== path) });
  }

  return {
    loaded,
    theme,
    shownTheme,
    granularity,
    fontSize,
    profile,
    timing,
    recent,
    layoutPart,
    changeLayout,
    load,
    save,
    change,
    setFontSize,
    remember,
    forget,
  };
});
