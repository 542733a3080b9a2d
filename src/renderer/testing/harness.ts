import { flushPromises, mount, type VueWrapper } from '@vue/test-utils';
import { createPinia, setActivePinia } from 'pinia';
import { TooltipProvider } from 'reka-ui';
import { createApp, defineComponent, h, provide, type Component } from 'vue';
import { createApi } from '../../shared/api';
import { apiKey } from '../api';
import { commandsKey, createCommands, type Commands } from '../commands/commands';
import { useApp } from '../stores/app';
import { createFakeTransport, type FakeTransport } from './fake-transport';

/** Stores over a fake debugger, without any component. */
export function storesOver(fake: FakeTransport = createFakeTransport()): FakeTransport {
  const app = createApp({});
  const pinia = createPinia();
  app.provide(apiKey, createApi(fake)).use(pinia);
  setActivePinia(pinia);
  return fake;
}

/** Stores with the sample object open and a session standing at its entry. */
export async function startedSession(fake: FakeTransport = createFakeTransport()): Promise<FakeTransport> {
  storesOver(fake);
  const app = useApp();
  await app.begin();
  await app.openExample('tailcall_dispatch');
  await app.start();
  await flushPromises();
  return fake;
}

/** A component over the active stores, with the window's commands and tooltips around it. */
export function mountOver(
  component: Component,
  props: Record<string, unknown> = {},
): VueWrapper & { commands: Commands } {
  let commands: Commands | undefined;
  const Frame = defineComponent({
    setup() {
      commands = createCommands();
      provide(commandsKey, commands);
      return () => h(TooltipProvider, null, { default: () => h(component, props) });
    },
  });
  const wrapper = mount(Frame, { attachTo: document.body });
  return Object.assign(wrapper, { commands: commands as unknown as Commands });
}
