import { defineStore } from 'pinia';
import { computed, ref, shallowRef, watch } from 'vue';
import type { BreakpointSpec, BreakpointView } from '../../shared/views';
import { useApi } from '../api';
import { sameWatch } from '../model/watch';
import { useNotices } from './notices';
import { useSession } from './session';

/** True when both stand for the same place or event. */
export function sameSpec(a: BreakpointSpec, b: BreakpointSpec): boolean {
  if (a.kind === 'native') return b.kind === 'native' && BigInt(a.address) === BigInt(b.address);
  if (a.kind === 'bpf') return b.kind === 'bpf' && a.function === b.function && a.slot === b.slot;
  if (a.kind === 'line') return b.kind === 'line' && a.file === b.file && a.line === b.line;
  if (a.kind !== 'event') return sameWatch(a, b);
  return b.kind === 'event' && a.event === b.event && (a.helper ?? '') === (b.helper ?? '');
}

/** The breakpoints of the session. The debugger holds them; this is its last word. */
export const useBreakpoints = defineStore('breakpoints', () => {
  const api = useApi();
  const notices = useNotices();
  const session = useSession();

  const list = shallowRef<readonly BreakpointView[]>([]);
  /** Said in the live region: what just happened to a breakpoint. */
  const said = ref('');
  let pushed = 0;

  const ofEvents = computed(() => list.value.filter(({ spec }) => spec.kind === 'event'));

  async function load(): Promise<void> {
    const before = pushed;
    await notices.guard('Breakpoints', async () => {
      const reply = await api.call('session.breakpoints', {});
      if (pushed === before) list.value = reply;
    });
  }

  function find(spec: BreakpointSpec): BreakpointView | undefined {
    return list.value.find((breakpoint) => sameSpec(breakpoint.spec, spec));
  }

  async function add(spec: BreakpointSpec): Promise<boolean> {
    return notices.guard('Breakpoint', async () => {
      const breakpoint = await api.call('session.addBreakpoint', { spec });
      list.value = [...list.value.filter(({ id }) => id !== breakpoint.id), breakpoint];
      said.value = `Breakpoint set: ${breakpoint.label}.${breakpoint.problem ? ` ${breakpoint.problem}` : ''}`;
    });
  }

  async function remove(id: number): Promise<boolean> {
    return notices.guard('Breakpoint', async () => {
      const gone = list.value.find((breakpoint) => breakpoint.id === id);
      await api.call('session.removeBreakpoint', { id });
      list.value = list.value.filter((breakpoint) => breakpoint.id !== id);
      if (gone) said.value = `Breakpoint removed: ${gone.label}.`;
    });
  }

  async function setEnabled(id: number, enabled: boolean): Promise<boolean> {
    return notices.guard('Breakpoint', async () => {
      const changed = await api.call('session.changeBreakpoint', { id, enabled });
      list.value = list.value.map((breakpoint) => (breakpoint.id === id ? changed : breakpoint));
      said.value = `Breakpoint ${enabled ? 'enabled' : 'disabled'}: ${changed.label}.`;
    });
  }

  /** Sets a breakpoint where there is none, removes the one that is there. */
  function toggle(spec: BreakpointSpec): Promise<boolean> {
    const known = find(spec);
    return known ? remove(known.id) : add(spec);
  }

  async function removeAll(): Promise<void> {
    for (const { id } of list.value) await remove(id);
  }

  api.on('session.breakpoints', (next) => {
    pushed++;
    list.value = next;
  });
  watch(
    () => session.view?.session,
    (id) => {
      list.value = [];
      if (id !== undefined) void load();
    },
    { immediate: true },
  );

  return { list, ofEvents, said, find, add, remove, removeAll, setEnabled, toggle };
});
