import { defineStore } from 'pinia';
import { computed, ref, shallowRef, watch } from 'vue';
import type { MapView, MemoryView } from '../../shared/views';
import { sentenceOf, useApi } from '../api';
import { hexAddress, parseAddress } from '../model/address';
import { isMovedOn, useSession } from './session';

/** Bytes that the memory pane shows at once, and bytes in a row. */
export const WINDOW_BYTES = 512;
export const ROW_BYTES = 16;

/** Memory and maps: fetched only while a pane shows them. */
export const useMemory = defineStore('memory', () => {
  const api = useApi();
  const session = useSession();

  const start = ref<bigint | null>(null);
  /** The address that was asked for, marked in the dump. */
  const target = ref<bigint | null>(null);
  /** ABI name of the register whose value the window follows. */
  const follow = ref<string | null>('sp');
  const view = shallowRef<MemoryView | null>(null);
  const problem = ref<string | null>(null);
  /** Addresses of bytes that differ from the stop before. */
  const changed = shallowRef<ReadonlySet<string>>(new Set());
  const memoryShown = ref(0);

  const maps = shallowRef<readonly MapView[]>([]);
  const mapsProblem = ref<string | null>(null);
  const mapsShown = ref(0);

  const registers = computed(() => session.registers?.registers ?? []);

  function goTo(address: bigint): void {
    follow.value = null;
    place(address);
  }

  function place(address: bigint): void {
    target.value = BigInt.asUintN(64, address);
    start.value = address & ~BigInt(ROW_BYTES - 1);
    void load();
  }

  /** Reads what the user typed: a register's name or an address. Says whether it was either. */
  function goToText(text: string): boolean {
    const name = text.trim().toLowerCase();
    const register = registers.value.find(({ abi, bpf }) => abi === name || bpf?.toLowerCase() === name);
    const address = register ? BigInt(register.hex) : parseAddress(name);
    if (address === undefined) return false;
    goTo(address);
    return true;
  }

  function move(bytes: number): void {
    if (start.value === null) return;
    follow.value = null;
    start.value = BigInt.asUintN(64, start.value + BigInt(bytes));
    void load();
  }

  function setFollow(abi: string | null): void {
    follow.value = abi;
    followRegister();
  }

  function followRegister(): void {
    const register = registers.value.find(({ abi }) => abi === follow.value);
    if (register) place(BigInt(register.hex));
  }

  async function load(): Promise<void> {
    if (memoryShown.value === 0 || start.value === null || !session.view || session.status === 'running')
      return;
    const address = hexAddress(start.value);
    try {
      const reply = await api.call('session.memory', { address, length: WINDOW_BYTES });
      if (!session.isCurrent(reply) || start.value === null || hexAddress(start.value) !== address) return;
      changed.value = differences(view.value, reply);
      view.value = reply;
      problem.value = null;
    } catch (error) {
      if (!isMovedOn(error)) problem.value = sentenceOf(error);
    }
  }

  async function loadMaps(): Promise<void> {
    if (mapsShown.value === 0 || !session.view || session.status === 'running') return;
    const { session: id, stop } = session.view;
    try {
      const reply = await api.call('session.maps', {});
      if (!session.isCurrent({ session: id, stop })) return;
      maps.value = reply;
      mapsProblem.value = null;
    } catch (error) {
      if (!isMovedOn(error)) mapsProblem.value = sentenceOf(error);
    }
  }

  watch(
    () => [session.view?.session, session.view?.stop, session.status, mapsShown.value] as const,
    () => void loadMaps(),
  );
  watch(
    () => [session.registers, memoryShown.value] as const,
    () => {
      if (follow.value !== null) followRegister();
      else void load();
    },
  );

  return {
    start,
    target,
    follow,
    view,
    problem,
    changed,
    memoryShown,
    maps,
    mapsProblem,
    mapsShown,
    registers,
    goTo,
    goToText,
    move,
    setFollow,
  };
});

/** Addresses (decimal text) of bytes that both views show and that differ. */
export function differences(before: MemoryView | null, after: MemoryView): ReadonlySet<string> {
  const result = new Set<string>();
  if (!before || before.session !== after.session || before.stop === after.stop) return result;
  const offset = Number(BigInt(after.address) - BigInt(before.address));
  after.bytes.forEach((byte, i) => {
    const old = before.bytes[i + offset];
    if (old !== undefined && old !== byte) result.add(String(BigInt(after.address) + BigInt(i)));
  });
  return result;
}
