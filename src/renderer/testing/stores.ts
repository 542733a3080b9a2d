import { flushPromises } from '@vue/test-utils';
import { createPinia, setActivePinia } from 'pinia';
import { createApp } from 'vue';
import { createApi } from '../../shared/api';
import { apiKey } from '../api';
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
