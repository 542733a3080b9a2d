import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import type { AppInfo, ExampleView } from '../../shared/contract';
import type { InputsView, ObjectView, ProfileView, ProgramView } from '../../shared/views';
import { sentenceOf, useApi } from '../api';
import { legalProfile } from '../model/profile';
import { useSession } from './session';
import { useSettings } from './settings';

export type Page = 'start' | 'debug';

/** What could not be opened and why; the start page shows it as a banner. */
export interface OpenError {
  readonly name: string;
  readonly text: string;
}

const MOST_BYTES = 64 * 1024 * 1024;

/** The application: what it is, what object is open, which page is shown. */
export const useApp = defineStore('app', () => {
  const api = useApi();
  const settings = useSettings();
  const session = useSession();

  const info = shallowRef<AppInfo | null>(null);
  const examples = shallowRef<readonly ExampleView[]>([]);
  const page = ref<Page>('start');
  const ready = ref(false);
  /** What is being opened just now. */
  const opening = ref<string | null>(null);
  const openError = shallowRef<OpenError | null>(null);
  const object = shallowRef<ObjectView | null>(null);
  /** The example that the object is, for its hint. */
  const example = shallowRef<ExampleView | null>(null);
  const programName = ref('');

  const program = computed<ProgramView | undefined>(() =>
    object.value?.programs.find(({ name }) => name === programName.value),
  );

  /** What the program is started with unless the user says otherwise: the example's inputs, else the program's own. */
  const suggested = computed<InputsView>(() => {
    const own = program.value?.inputs ?? {};
    return example.value?.program === programName.value ? { ...own, ...example.value.inputs } : own;
  });

  /** Loads what the window needs to begin, and opens what was named on the command line. */
  async function begin(): Promise<void> {
    const [appInfo, list, running] = await Promise.all([
      api.call('app.info', {}),
      api.call('app.examples', {}).catch(() => []),
      api.call('session.state', {}).catch(() => null),
      settings.load().catch(() => undefined),
    ]);
    info.value = appInfo;
    examples.value = list;
    api.on('app.open', ({ path }) => void openPath(path));
    if (running && running.status !== 'ended') {
      session.adopt(running);
      page.value = 'debug';
    } else if (appInfo.initial) {
      const { initial } = appInfo;
      const opened = await ('path' in initial
        ? openPath(initial.path)
        : openExample(initial.example, { quiet: true }));
      if (opened && program.value && !program.value.unsupported) await start();
    }
    ready.value = true;
  }

  async function open(name: string, request: () => Promise<ObjectView | null>): Promise<boolean> {
    if (opening.value !== null) return false;
    opening.value = name;
    openError.value = null;
    try {
      const opened = await request();
      if (!opened) return false;
      object.value = opened;
      example.value = null;
      programName.value = (opened.programs.find((p) => !p.unsupported) ?? opened.programs[0])?.name ?? '';
      page.value = 'start';
      if (opened.path !== undefined) settings.remember(opened.name, opened.path);
      return true;
    } catch (error) {
      openError.value = { name, text: sentenceOf(error) };
      page.value = 'start';
      return false;
    } finally {
      opening.value = null;
    }
  }

  function openPath(path: string): Promise<boolean> {
    return open(path.split(/[\\/]/).pop() ?? path, () => api.call('app.openPath', { path }));
  }

  async function openExample(id: string, { quiet = false } = {}): Promise<boolean> {
    const chosen = examples.value.find((entry) => entry.id === id);
    const ok = await open(chosen?.title ?? id, async () => {
      const opened = await api.call('app.openExample', { id });
      return { ...opened, path: undefined };
    });
    if (ok && chosen) {
      example.value = chosen;
      if (object.value?.programs.some(({ name }) => name === chosen.program))
        programName.value = chosen.program;
    }
    if (!ok && quiet && !chosen) openError.value = null;
    return ok;
  }

  function openDialog(): Promise<boolean> {
    return open('the chosen file', () => api.call('app.openDialog', {}));
  }

  async function openFile(file: File): Promise<boolean> {
    return open(file.name, async () => {
      if (file.size > MOST_BYTES) {
        throw new Error(
          `${file.name} has more than 64 MiB; no BPF object is that large. Choose another file.`,
        );
      }
      const buffer = await file.arrayBuffer().catch(() => {
        throw new Error(`${file.name} cannot be read. Is it a folder? Choose a BPF object file (.o).`);
      });
      const bytes = new Uint8Array(buffer);
      return api.call('app.openBytes', { name: file.name, bytes });
    });
  }

  /** Starts a session of the chosen program, at its entry. */
  async function start(inputs?: InputsView, wanted: ProfileView = settings.profile): Promise<boolean> {
    if (!object.value || !program.value) return false;
    const profile = legalProfile(info.value?.kernels ?? [], wanted);
    const ok = await session.start({
      object: object.value.id,
      program: program.value.name,
      profile,
      inputs: inputs ?? suggested.value,
      timing: settings.timing,
    });
    if (ok) page.value = 'debug';
    return ok;
  }

  function closeObject(): void {
    object.value = null;
    example.value = null;
    openError.value = null;
  }

  return {
    info,
    examples,
    page,
    ready,
    opening,
    openError,
    object,
    example,
    programName,
    program,
    suggested,
    begin,
    openPath,
    openExample,
    openDialog,
    openFile,
    start,
    closeObject,
  };
});
