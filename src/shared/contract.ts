import * as v from 'valibot';
import type {
  BreakpointView,
  CompareRunsView,
  CompareView,
  FrameView,
  FunctionView,
  InputsView,
  LastWriteView,
  ListingView,
  MapView,
  MemoryView,
  ObjectView,
  OutputView,
  PassesView,
  PipelineView,
  RegistersView,
  SessionView,
  StackView,
  TrampolineSuggestion,
  TrampolineView,
} from '../engine/debugger/views';
import { TIMINGS } from './timings';
import { TRAMPOLINE_KINDS, TRAMPOLINE_TARGETS } from './trampoline-words';

/** The typed contract between a user interface and a session: every request with a validator for what it carries. */

const hex = v.pipe(
  v.string(),
  v.maxLength(2 * 1024 * 1024),
  v.regex(/^([0-9a-f]{2})*$/i, 'bytes are pairs of hexadecimal digits'),
);
const address = v.pipe(
  v.string(),
  v.regex(/^0x[0-9a-f]{1,16}$/, 'an address is 0x and up to 16 hexadecimal digits'),
);
const name = v.pipe(v.string(), v.maxLength(256));
const path = v.pipe(v.string(), v.maxLength(4096));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const profile = v.object({ kernel: name, tcc: name, isa: name });
const inputs = v.object({
  data: v.optional(hex),
  ctx: v.optional(hex),
  repeat: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000))),
});
const timing = v.picklist(TIMINGS);
const granularity = v.picklist(['line', 'bpf', 'native', 'cycle']);
const runTarget = v.variant('kind', [
  v.object({ kind: v.literal('native'), address }),
  v.object({ kind: v.literal('bpf'), function: name, slot: count }),
  v.object({ kind: v.literal('line'), file: path, line: count }),
]);
const register = v.pipe(count, v.minValue(1), v.maxValue(31));
const watchedLength = v.pipe(count, v.minValue(1), v.maxValue(65536));
const breakpoint = v.variant('kind', [
  ...runTarget.options,
  v.object({
    kind: v.literal('register'),
    register,
    when: v.picklist(['written', 'changed', 'equals']),
    value: v.optional(address),
  }),
  v.object({
    kind: v.literal('memory'),
    address,
    length: watchedLength,
    when: v.picklist(['read', 'written', 'changed']),
  }),
  v.object({
    kind: v.literal('event'),
    event: v.picklist(['tail-call-attempted', 'tail-call-taken', 'tail-call-refused', 'helper-call']),
    helper: v.optional(name),
  }),
]);
const writeTarget = v.variant('kind', [
  v.object({ kind: v.literal('register'), register }),
  v.object({ kind: v.literal('memory'), address, length: watchedLength }),
]);
const nothing = v.object({});
/** Of the open object with this id, else of the session's; of its program unless another is named. */
const compared = { object: v.optional(name), program: v.optional(name), left: profile, right: profile };
const words = v.pipe(v.string(), v.maxLength(512));
const trampolineSpec = v.object({
  function: name,
  target: v.picklist(TRAMPOLINE_TARGETS),
  args: words,
  result: words,
  programs: v.pipe(
    v.array(
      v.object({
        kind: v.picklist(TRAMPOLINE_KINDS),
        name: v.optional(name),
        sleepable: v.optional(v.boolean()),
        ip: v.optional(v.boolean()),
        cookie: v.optional(words),
        sessionCookie: v.optional(v.boolean()),
        interpreted: v.optional(v.boolean()),
      }),
    ),
    v.maxLength(64),
    v.readonly(),
  ),
});

/** Settings that survive a restart; the renderer owns their meaning, the main process stores them. */
export const settingsSchema = v.object({
  theme: v.optional(v.picklist(['light', 'dark', 'system', 'high-contrast'])),
  layout: v.optional(v.record(v.string(), v.unknown())),
  granularity: v.optional(granularity),
  profile: v.optional(profile),
  timing: v.optional(timing),
  fontSize: v.optional(v.pipe(v.number(), v.minValue(8), v.maxValue(32))),
  recent: v.optional(v.array(v.object({ name, path }))),
});
export type Settings = v.InferOutput<typeof settingsSchema>;

/** Validators of the parameters of every request. */
export const requestSchemas = {
  'app.info': nothing,
  'app.examples': nothing,
  'app.openExample': v.object({ id: name }),
  'app.openPath': v.object({ path }),
  'app.openBytes': v.object({
    name,
    bytes: v.pipe(
      v.instance(Uint8Array),
      v.check((b) => b.length <= 64 * 1024 * 1024, 'at most 64 MiB'),
    ),
  }),
  'app.openDialog': nothing,
  'app.settings': nothing,
  'app.saveSettings': v.object({ settings: settingsSchema }),
  'session.start': v.object({ object: name, program: name, profile, inputs, timing: v.optional(timing) }),
  'session.restart': nothing,
  'session.end': nothing,
  'session.state': nothing,
  'session.step': v.object({ step: v.picklist(['into', 'over', 'out']), granularity }),
  'session.continue': nothing,
  'session.pause': nothing,
  'session.runTo': v.object({ target: runTarget }),
  'session.runToCycle': v.object({ cycle: count }),
  'session.stepBack': v.object({ step: v.picklist(['into', 'over', 'out']), granularity }),
  'session.reverseContinue': nothing,
  'session.goTo': v.object({ time: count }),
  'session.lastWrite': v.object({ target: writeTarget }),
  'session.functions': nothing,
  'session.listing': v.object({ function: name }),
  'session.passes': v.object({ function: name }),
  'session.registers': nothing,
  'session.stack': nothing,
  'session.frame': v.object({ index: count }),
  'session.pipeline': nothing,
  'session.maps': nothing,
  'session.memory': v.object({ address, length: v.pipe(count, v.maxValue(65536)) }),
  'session.output': v.object({ from: count }),
  'session.breakpoints': nothing,
  'session.addBreakpoint': v.object({ spec: breakpoint }),
  'session.changeBreakpoint': v.object({ id: count, enabled: v.boolean() }),
  'session.removeBreakpoint': v.object({ id: count }),
  'session.trampolines': v.object({ object: v.optional(name), profile }),
  'session.trampoline': v.object({ profile, spec: trampolineSpec }),
  'session.compare': v.object({ ...compared, function: v.optional(name) }),
  'session.compareRuns': v.object({
    ...compared,
    inputs,
    limit: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1e9)),
  }),
} as const;

export type Method = keyof typeof requestSchemas;
export type Params<M extends Method> = v.InferOutput<(typeof requestSchemas)[M]>;

export interface ExampleView {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** What to look at, shown beside the start button. */
  readonly hint: string;
  readonly program: string;
  /** What the example is to be started with; where absent, the program's own suggestion. */
  readonly inputs?: InputsView;
}

export interface AppInfo {
  readonly version: string;
  readonly host: 'electron' | 'browser';
  /** True when app.openDialog shows the system's dialog; otherwise the window uses a file input and app.openBytes. */
  readonly nativeDialog: boolean;
  /** What was named on the command line, or the example that opens when nothing was. */
  readonly initial?: { readonly path: string } | { readonly example: string };
  readonly kernels: readonly KernelInfo[];
}

/** A kernel whose JIT can be chosen. */
export interface KernelInfo {
  readonly kernel: string;
  /** Its TCC schemes, the one that it ships first. */
  readonly schemes: readonly string[];
  /** Those of them under which subprograms may tail call. */
  readonly mixing: readonly string[];
}

/** What every request answers. */
export interface Replies {
  'app.info': AppInfo;
  'app.examples': readonly ExampleView[];
  'app.openExample': ObjectView;
  'app.openPath': ObjectView;
  'app.openBytes': ObjectView;
  'app.openDialog': ObjectView | null;
  'app.settings': Settings;
  'app.saveSettings': null;
  'session.start': SessionView;
  'session.restart': SessionView;
  'session.end': null;
  'session.state': SessionView | null;
  /** Steps answer when the step is done; a long one can be interrupted by session.pause. */
  'session.step': SessionView;
  /** Answers at once with status running; the stop comes as an event. */
  'session.continue': SessionView;
  'session.pause': SessionView;
  'session.runTo': SessionView;
  /** A cycle that has passed is gone back to. */
  'session.runToCycle': SessionView;
  /** Back in time: to where a step forwards would have stopped last, to the last breakpoint. Answered as steps are. */
  'session.stepBack': SessionView;
  'session.reverseContinue': SessionView;
  /** To an instant of the past that an answer names. Answered as steps are. */
  'session.goTo': SessionView;
  /** Searches the past and leaves the session where it stands. Long searches show it as running; session.pause ends them. */
  'session.lastWrite': LastWriteView;
  'session.functions': readonly FunctionView[];
  'session.listing': ListingView;
  /** The size of every BPF instruction in every pass of the JIT. */
  'session.passes': PassesView;
  'session.registers': RegistersView;
  'session.stack': StackView;
  'session.frame': FrameView;
  'session.pipeline': PipelineView;
  'session.maps': readonly MapView[];
  'session.memory': MemoryView;
  'session.output': readonly OutputView[];
  'session.breakpoints': readonly BreakpointView[];
  'session.addBreakpoint': BreakpointView;
  'session.changeBreakpoint': BreakpointView;
  'session.removeBreakpoint': null;
  /** What the programs of the open object with this id (else of the session's) want trampolines on. */
  'session.trampolines': readonly TrampolineSuggestion[];
  /** A trampoline as a profile's kernel makes it; there need be no object. */
  'session.trampoline': TrampolineView;
  /** One function compiled for two profiles, without running it; there need be no session. */
  'session.compare': CompareView;
  /** Both profiles run beside the session, each in a kernel of its own. A newer request ends an older one. */
  'session.compareRuns': CompareRunsView;
}

/** Pushed by the main process. */
export interface Events {
  'session.changed': SessionView;
  'session.breakpoints': readonly BreakpointView[];
  /** New console lines. */
  'session.output': readonly OutputView[];
  /** A menu entry or a file dropped on the application asks the window to open something. */
  'app.open': { readonly path: string };
}
export type EventName = keyof Events;

/** What goes wrong in a request: the code and sentence of an EngineError, or `usage/…` for a malformed request. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

export type Outcome<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Failure };
