import { parentPort } from 'node:worker_threads';
import type { Outcome } from '../../shared/contract';
import { toFailure } from './failure';
import type { FromWorker, ToWorker } from './messages';
import { createEngineService, type SessionMethod } from './service';

/** The worker thread: hosts the engine, so that a long run never blocks the window's process. */
const port = parentPort;
if (!port) throw new Error('engine worker: started outside a worker thread');
const post = (message: FromWorker) => port.postMessage(message);

const service = createEngineService({
  emit: (event, payload) => post({ kind: 'event', event, payload }),
});

async function answer(message: ToWorker): Promise<Outcome<unknown>> {
  try {
    return { ok: true, value: await valueOf(message) };
  } catch (error) {
    return { ok: false, error: toFailure(error) };
  }
}

function valueOf(message: ToWorker): unknown {
  switch (message.kind) {
    case 'open':
      return service.openBytes(message.name, message.bytes, message.sources);
    case 'call':
      return service.call(message.method as SessionMethod, message.params as never);
    case 'rest':
      return service.rest();
  }
}

port.on('message', (message: ToWorker) => {
  void answer(message).then((outcome) => post({ kind: 'reply', id: message.id, outcome }));
});
