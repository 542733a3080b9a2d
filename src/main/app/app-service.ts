import path from 'node:path';
import * as v from 'valibot';
import { EngineError } from '../../engine/base/errors';
import { SCHEMES } from '../../engine/jit/profile';
import { supportsSubprogTailCalls } from '../../engine/jit/tcc/index';
import { KERNELS } from '../../engine/profile/kernels';
import type { KernelVersion } from '../../engine/profile/profile';
import {
  requestSchemas,
  type AppInfo,
  type EventName,
  type KernelInfo,
  type Method,
  type Outcome,
  type Params,
  type Replies,
} from '../../shared/contract';
import type { EngineClient } from '../engine/client';
import { toFailure } from '../engine/failure';
import { Examples } from './examples';
import { readObjectFile } from './read-object';
import { SettingsStore } from './settings';

export interface AppOptions {
  readonly engine: EngineClient;
  readonly host: AppInfo['host'];
  readonly version: string;
  /** Directory of examples/index.json. */
  readonly examples: string;
  /** File of the settings. */
  readonly settings: string;
  readonly initial?: AppInfo['initial'];
  /** Shows the system's open dialog: the chosen path, or nothing when cancelled. Absent in the browser host. */
  readonly chooseFile?: () => Promise<string | undefined>;
}

/** All requests of a window: validated, then answered here (`app.*`) or by the engine worker (`session.*`). */
export interface AppService {
  /** Never rejects: what goes wrong is in the outcome. */
  call(method: unknown, params: unknown): Promise<Outcome<unknown>>;
  onEvent(listener: (event: EventName, payload: unknown) => void): () => void;
  /** No window is left to look: whatever runs is paused or given up, and waits for the next one. Never rejects. */
  rest(): Promise<void>;
  /** Resolves when all settings that were given to be saved are written, or could not be. */
  written(): Promise<void>;
}

type AppMethod = Extract<Method, `app.${string}`>;
type AppHandlers = { [M in AppMethod]: (params: Params<M>) => Promise<Replies[M]> };

/** Builds the service that Electron's ipcMain and the browser host's socket share. */
export function createAppService(options: AppOptions): AppService {
  const { engine } = options;
  const examples = new Examples(options.examples);
  const settings = new SettingsStore(options.settings);

  async function openPath(file: string): Promise<Replies['app.openPath']> {
    const object = await readObjectFile(file);
    const outcome = await engine.open(object.name, object.bytes, object.sources);
    if (!outcome.ok) throw new OutcomeError(outcome.error);
    return { ...(outcome.value as Replies['app.openPath']), path: file };
  }

  const handlers: AppHandlers = {
    'app.info': async () => ({
      version: options.version,
      host: options.host,
      nativeDialog: options.chooseFile !== undefined,
      initial: options.initial,
      kernels: KERNELS.map(kernelInfo),
    }),
    'app.examples': () => examples.list(),
    'app.openExample': async ({ id }) => openPath(await examples.file(id)),
    'app.openPath': ({ path: file }) => openPath(path.resolve(file)),
    'app.openBytes': async ({ name, bytes }) => {
      const outcome = await engine.open(path.basename(name), bytes, {});
      if (!outcome.ok) throw new OutcomeError(outcome.error);
      return outcome.value as Replies['app.openBytes'];
    },
    'app.openDialog': async () => {
      if (!options.chooseFile) {
        throw new EngineError(
          'usage/dialog',
          'This window runs in a browser, which has its own way to choose a file.',
        );
      }
      const file = await options.chooseFile();
      return file === undefined ? null : openPath(file);
    },
    'app.settings': () => settings.read(),
    'app.saveSettings': async ({ settings: next }) => {
      await settings.write(next);
      return null;
    },
  };

  return {
    async call(method, params) {
      try {
        const checked = checkRequest(method, params);
        if (checked.method.startsWith('app.')) {
          const handler = handlers[checked.method as AppMethod] as (params: unknown) => Promise<unknown>;
          return { ok: true, value: await handler(checked.params) };
        }
        return await engine.call(checked.method, checked.params);
      } catch (error) {
        return { ok: false, error: error instanceof OutcomeError ? error.failure : toFailure(error) };
      }
    },
    onEvent: (listener) => engine.onEvent(listener),
    rest: () => engine.rest(),
    written: () => settings.written(),
  };
}

function kernelInfo(kernel: KernelVersion): KernelInfo {
  const schemes = SCHEMES[kernel];
  return { kernel, schemes, mixing: schemes.filter((tcc) => supportsSubprogTailCalls({ tcc })) };
}

/** Carries a failure that the worker already put into words. */
class OutcomeError extends Error {
  constructor(readonly failure: (Outcome<never> & { ok: false })['error']) {
    super(failure.message);
  }
}

function checkRequest(method: unknown, params: unknown): { method: Method; params: unknown } {
  if (typeof method !== 'string' || !Object.hasOwn(requestSchemas, method)) {
    throw new EngineError('usage/method', `There is no request '${String(method).slice(0, 80)}'.`);
  }
  const name = method as Method;
  const result = v.safeParse(requestSchemas[name], params ?? {});
  if (!result.success) {
    const issue = result.issues[0];
    const where = v.getDotPath(issue);
    throw new EngineError('usage/params', `${name}${where ? `, ${where}` : ''}: ${issue.message}.`, {
      method: name,
    });
  }
  return { method: name, params: result.output };
}
