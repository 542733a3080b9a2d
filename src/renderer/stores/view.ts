import { defineStore } from 'pinia';
import { computed, ref, type WritableComputedRef } from 'vue';
import { useSettings } from './settings';

/** Choices of how panes show things (remembered with the layout), and which dialogs are open. */
export const useView = defineStore('view', () => {
  const settings = useSettings();

  /** One remembered choice out of a few words, the first of which is the usual one. */
  function choice<T extends string>(name: string, words: readonly [T, ...T[]]): WritableComputedRef<T> {
    return computed({
      get: () => words.find((word) => word === settings.layoutPart('view')[name]) ?? words[0],
      set: (word) => settings.changeLayout('view', { ...settings.layoutPart('view'), [name]: word }),
    });
  }

  /** Whether the native column shows the bytes of instructions. */
  const bytes = choice('bytes', ['off', 'on']);
  const addresses = choice('addresses', ['full', 'offset']);
  /** `bpf`: registers that hold BPF registers first; `number`: x0 to x31. */
  const registerOrder = choice('registerOrder', ['bpf', 'number']);

  /** Id of the example whose hint was put away. */
  const hintHidden = ref<string | null>(null);
  const palette = ref(false);
  const goTo = ref(false);
  const keysHelp = ref(false);
  const compareDialog = ref(false);

  return { bytes, addresses, registerOrder, hintHidden, palette, goTo, keysHelp, compareDialog };
});
