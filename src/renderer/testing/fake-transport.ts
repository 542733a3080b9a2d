import type { Transport } from '../../shared/api';
import type { EventName, Method, Outcome, Params, Replies } from '../../shared/contract';
import type { BreakpointSpec, BreakpointView, SessionView, StopKind } from '../../shared/views';
import { sampleComparison, sampleRuns } from './sample-compare';
import { samplePasses } from './sample-passes';
import { samplePipeline } from './sample-pipeline';
import { sampleSuggestions, sampleTrampoline } from './sample-trampoline';
import { sampleListing, SESSION, targetListing } from './sample-listing';
import {
  sampleExamples,
  sampleFrame,
  sampleFrames,
  sampleInfo,
  sampleLastWrite,
  sampleMaps,
  sampleObject,
  sampleOutput,
  sampleRegisters,
} from './sample-views';

type Handler<M extends Method> = (params: Params<M>) => Replies[M] | Promise<Replies[M]>;
/** Requests without an answer are refused. */
type Handlers = { [M in Method]?: Handler<M> };

/** A debugger that walks the sample listing from row to row: for tests and previews of the window, never in the product. */
export interface FakeTransport extends Transport {
  /** Replaces the answer to a request. */
  handle<M extends Method>(method: M, handler: Handler<M>): void;
  /** Makes a request fail with a sentence. */
  fail(method: Method, message: string, code?: string): void;
  /** Pushes an event as the host would. */
  push(event: EventName, payload: unknown): void;
  /** Requests that were made, in order. */
  readonly calls: { readonly method: Method; readonly params: unknown }[];
  /** The state that the fake session is in. */
  state(): SessionView;
}

export function createFakeTransport(): FakeTransport {
  const listeners = new Set<(event: EventName, payload: unknown) => void>();
  const calls: { method: Method; params: unknown }[] = [];
  const native = sampleListing.native;
  let row = 0;
  let stop = 0;
  let started: Params<'session.start'> | null = null;
  let status: SessionView['status'] = 'stopped';
  let reason: { kind: StopKind; text: string } = { kind: 'entry', text: 'Stopped at the entry of dispatch.' };
  let breakpoints: BreakpointView[] = [];
  let nextBreakpoint = 1;
  let outputs = 0;
  let settings: Replies['app.settings'] = {};

  const push = (event: EventName, payload: unknown) => {
    for (const listener of [...listeners]) listener(event, payload);
  };

  function here() {
    const at = native[row];
    const bpf = at && at.slot >= 0 ? sampleListing.bpf.find(({ slot }) => slot === at.slot) : undefined;
    const line = bpf ? bpf.source + 1 : undefined;
    return { pc: at?.address ?? '0x0', slot: bpf?.slot, line };
  }

  function state(): SessionView {
    const { pc, slot, line } = here();
    return {
      session: SESSION,
      stop,
      status,
      object: sampleObject.name,
      program: started?.program ?? 'dispatch',
      profile: started?.profile ?? { kernel: '6.12', tcc: 'transparent', isa: 'rv64imac' },
      inputs: started?.inputs ?? {},
      reason: { ...reason, breakpoints: [] },
      location: status === 'stopped' ? sampleFrames(pc, line, slot)[0]?.location : undefined,
      counters: {
        instructions: row,
        loads: 0,
        stores: Math.min(5, row),
        cycles: null,
        tailCalls: 0,
        helperCalls: row > 13 ? 1 : 0,
      },
      result: status === 'ended' ? { retval: 2, dataOut: '0102030405060708090a0b0c0800' } : undefined,
      tcc: { value: row < 3 ? 0 : 33, where: 'a6' },
    };
  }

  function arrive(next: number, kind: StopKind, text: string): SessionView {
    stop++;
    if (next >= native.length) {
      row = native.length - 1;
      status = 'ended';
      reason = { kind: 'exit', text: 'The program returned 2.' };
    } else {
      row = next;
      status = 'stopped';
      reason = { kind, text };
    }
    const fresh = [];
    while (outputs < row / 6) fresh.push(sampleOutput(outputs++, row));
    const view = state();
    push('session.changed', view);
    if (fresh.length > 0) push('session.output', fresh);
    return view;
  }

  function rowsOf(spec: BreakpointSpec): number[] {
    const rows = native.flatMap((r, i) => {
      if (spec.kind === 'native') return r.address === spec.address ? [i] : [];
      if (spec.kind === 'bpf') return r.slot === spec.slot ? [i] : [];
      if (spec.kind === 'line')
        return r.slot >= 0 && sampleListing.bpf.find((b) => b.slot === r.slot)?.source === spec.line - 1
          ? [i]
          : [];
      return [];
    });
    return rows.slice(0, 1);
  }

  function label(spec: BreakpointSpec): string {
    if (spec.kind === 'native')
      return `dispatch+0x${native[rowsOf(spec)[0] ?? 0]?.offset.toString(16) ?? '0'}`;
    if (spec.kind === 'bpf') return `dispatch slot ${spec.slot}`;
    if (spec.kind === 'line') return `${spec.file}:${spec.line}`;
    if (spec.kind === 'register') return `x${spec.register} ${spec.when}`;
    if (spec.kind === 'memory') return `${spec.length} bytes at ${spec.address} ${spec.when}`;
    return spec.event.replaceAll('-', ' ') + (spec.helper ? ` ${spec.helper}` : '');
  }

  function run(): SessionView {
    const hits = breakpoints.filter((b) => b.enabled).flatMap((b) => rowsOf(b.spec).map((r) => ({ r, b })));
    const hit = hits.filter(({ r }) => r > row).sort((a, b) => a.r - b.r)[0];
    if (!hit) return arrive(native.length, 'exit', '');
    breakpoints = breakpoints.map((b) => (b.id === hit.b.id ? { ...b, hits: b.hits + 1 } : b));
    push('session.breakpoints', breakpoints);
    return arrive(hit.r, 'breakpoint', `Breakpoint ${hit.b.id} at ${hit.b.label}.`);
  }

  function begin(): SessionView {
    row = 0;
    stop++;
    status = 'stopped';
    reason = { kind: 'entry', text: 'Stopped at the entry of dispatch.' };
    return state();
  }

  const handlers: Handlers = {
    'app.info': () => sampleInfo,
    'app.examples': () => sampleExamples,
    'app.openExample': () => sampleObject,
    'app.openPath': ({ path }) => ({ ...sampleObject, path }),
    'app.openBytes': ({ name }) => ({ ...sampleObject, name }),
    'app.openDialog': () => sampleObject,
    'app.settings': () => settings,
    'app.saveSettings': (params) => {
      settings = params.settings;
      return null;
    },
    'session.start': (params) => {
      started = params;
      return begin();
    },
    'session.restart': begin,
    'session.end': () => {
      started = null;
      return null;
    },
    'session.state': () => (started ? state() : null),
    'session.step': ({ step, granularity }) => {
      if (step === 'out') return arrive(native.length, 'exit', '');
      const from = native[row]?.slot;
      let next = row + 1;
      if (granularity !== 'native') while (next < native.length && native[next]?.slot === from) next++;
      return arrive(next, 'step', `Stepped ${step} by ${granularity}.`);
    },
    'session.continue': () => {
      status = 'running';
      const view = state();
      setTimeout(run, 10);
      return view;
    },
    'session.pause': () => arrive(row, 'pause', 'Paused.'),
    'session.runTo': ({ target }) =>
      arrive(rowsOf(target)[0] ?? native.length, 'run-to', 'Reached the cursor.'),
    'session.goTo': ({ time }) =>
      arrive(time, 'run-to', `Gone to where ${time} instructions had been executed.`),
    // In the sample everything was written by the instruction before.
    'session.lastWrite': ({ target }) => sampleLastWrite(target, stop, Math.max(row - 1, 0)),
    'session.functions': () => [sampleListing.function, targetListing.function],
    'session.listing': (params) =>
      params.function === targetListing.function.key ? targetListing : sampleListing,
    'session.passes': (params) =>
      samplePasses(params.function === targetListing.function.key ? targetListing : sampleListing),
    'session.registers': () => ({ session: SESSION, stop, registers: sampleRegisters(row, here().pc) }),
    'session.stack': () => {
      const { pc, line, slot } = here();
      return { session: SESSION, stop, frames: status === 'ended' ? [] : sampleFrames(pc, line, slot) };
    },
    'session.frame': ({ index }) => sampleFrame(SESSION, stop, index, Math.min(5, Math.max(0, row - 4))),
    'session.runToCycle': ({ cycle }) => arrive(cycle, 'run-to', `Reached cycle ${cycle}.`),
    'session.pipeline': () => samplePipeline(stop, row),
    'session.maps': () => sampleMaps,
    'session.memory': ({ address, length }) => ({
      session: SESSION,
      stop,
      address,
      bytes: Array.from({ length }, (_, i) =>
        i < 480 ? ((i * 37 + (i === 40 ? stop : 0)) & 255).toString(16).padStart(2, '0') : '..',
      ),
      region: 'kernel stack of the program',
    }),
    'session.output': () => Array.from({ length: outputs }, (_, i) => sampleOutput(i, i * 6)),
    'session.breakpoints': () => breakpoints,
    'session.addBreakpoint': ({ spec }) => {
      const addresses = rowsOf(spec).map((r) => native[r]?.address ?? '0x0');
      const added = { id: nextBreakpoint++, spec, enabled: true, addresses, hits: 0, label: label(spec) };
      breakpoints = [...breakpoints, added];
      return added;
    },
    'session.changeBreakpoint': ({ id, enabled }) => {
      breakpoints = breakpoints.map((b) => (b.id === id ? { ...b, enabled } : b));
      const changed = breakpoints.find((b) => b.id === id);
      if (!changed) throw new Error(`There is no breakpoint ${id}.`);
      return changed;
    },
    'session.removeBreakpoint': ({ id }) => {
      breakpoints = breakpoints.filter((b) => b.id !== id);
      return null;
    },
    'session.trampolines': () => sampleSuggestions,
    'session.trampoline': sampleTrampoline,
    'session.compare': sampleComparison,
    'session.compareRuns': sampleRuns,
  };

  return {
    calls,
    state,
    push,
    handle(method, handler) {
      Object.assign(handlers, { [method]: handler });
    },
    fail(method, message, code = 'debugger/test') {
      const failing = () => Promise.reject(Object.assign(new Error(message), { code }));
      Object.assign(handlers, { [method]: failing });
    },
    async call(method, params): Promise<Outcome<unknown>> {
      calls.push({ method, params });
      try {
        const handler = handlers[method] as ((params: unknown) => unknown) | undefined;
        if (!handler) throw new Error(`The fake debugger knows no request '${method}'.`);
        return { ok: true, value: await handler(params) };
      } catch (error) {
        const { message, code } = error as Error & { code?: string };
        return { ok: false, error: { code: code ?? 'usage/internal', message } };
      }
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
