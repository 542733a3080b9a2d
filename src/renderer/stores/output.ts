import { defineStore } from 'pinia';
import { computed, ref, shallowRef, triggerRef, watch } from 'vue';
import type { OutputView } from '../../shared/views';
import { useApi } from '../api';
import { useNotices } from './notices';
import { useSession } from './session';

export type OutputKind = OutputView['kind'];
export const OUTPUT_KINDS: readonly { readonly kind: OutputKind; readonly label: string }[] = [
  { kind: 'printk', label: 'printk' },
  { kind: 'tail-call', label: 'tail calls' },
  { kind: 'helper', label: 'helpers' },
  { kind: 'output', label: 'output' },
  { kind: 'info', label: 'info' },
  { kind: 'error', label: 'errors' },
];

/** How many lines are kept; older ones go. */
const MOST_LINES = 10_000;

/** The console: trace_printk lines and events, in the order in which they happened. */
export const useOutput = defineStore('output', () => {
  const api = useApi();
  const notices = useNotices();
  const session = useSession();

  const lines = shallowRef<OutputView[]>([]);
  const filter = ref('');
  const hidden = ref<readonly OutputKind[]>([]);
  /** Lines before this index were cleared away. */
  const clearedBefore = ref(0);
  let owner: string | undefined;
  /** A program that prints a lot is told of in parts; what was left out is asked for when it stops. */
  let gap = false;

  const visible = computed(() => {
    const text = filter.value.trim().toLowerCase();
    return lines.value.filter(
      (line) =>
        line.index >= clearedBefore.value &&
        !hidden.value.includes(line.kind) &&
        (text === '' || line.text.toLowerCase().includes(text)),
    );
  });

  /** Adds lines by their index; those that are there already are left. */
  function append(next: readonly OutputView[]): void {
    const last = lines.value.at(-1)?.index ?? -1;
    const fresh = next.filter(({ index }) => index > last);
    const [first] = fresh;
    if (!first) return;
    if (first.index > last + 1) gap = true;
    lines.value.push(...fresh);
    if (lines.value.length > MOST_LINES) lines.value.splice(0, lines.value.length - MOST_LINES);
    triggerRef(lines);
  }

  async function load(id: string): Promise<void> {
    gap = false;
    const known = (lines.value.at(-1)?.index ?? -1) + 1;
    await notices.guard('Console', async () => {
      const reply = await api.call('session.output', { from: Math.max(0, known - MOST_LINES) });
      if (owner !== id) return;
      const pushed = lines.value;
      lines.value = [];
      append(reply);
      append(pushed);
      gap = false;
    });
  }

  function clear(): void {
    clearedBefore.value = (lines.value.at(-1)?.index ?? -1) + 1;
  }

  function toggleKind(kind: OutputKind): void {
    hidden.value = hidden.value.includes(kind)
      ? hidden.value.filter((other) => other !== kind)
      : [...hidden.value, kind];
  }

  /** What is visible, as text for the clipboard. */
  function asText(): string {
    return visible.value.map((line) => `${line.at}\t${line.kind}\t${line.text}`).join('\n');
  }

  function beginAnew(id: string | undefined): void {
    owner = id;
    lines.value = [];
    clearedBefore.value = 0;
    if (id !== undefined) void load(id);
  }

  api.on('session.output', append);
  watch(() => session.view?.session, beginAnew, { immediate: true, flush: 'sync' });
  watch(
    () => session.view?.stop,
    () => {
      if (gap && owner !== undefined) void load(owner);
    },
  );

  return { lines, visible, filter, hidden, clear, toggleKind, asText };
});
