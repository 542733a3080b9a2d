import { computed, inject, type ComputedRef, type InjectionKey } from 'vue';
import type { Granularity } from '../../shared/views';
import { useApp } from '../stores/app';
import { useBreakpoints } from '../stores/breakpoints';
import { useCompare } from '../stores/compare';
import { PANES, useLayout, type PaneId } from '../stores/layout';
import { useListing } from '../stores/listing';
import { useOutput } from '../stores/output';
import { usePasses } from '../stores/passes';
import { useSession } from '../stores/session';
import { FONT_SIZES, THEMES, useSettings } from '../stores/settings';
import { useSetup } from '../stores/setup';
import { useTrampoline } from '../stores/trampoline';
import { useView } from '../stores/view';
import { useWatch } from '../stores/watch';
import { chooseFile } from './choose-file';

export interface Command {
  readonly id: string;
  readonly title: string;
  readonly group: 'Run' | 'Step' | 'Breakpoints' | 'Go' | 'View' | 'File';
  /** Keys in the notation of keys.ts; the first is the one that is shown. */
  readonly keys: readonly string[];
  readonly enabled: ComputedRef<boolean>;
  run(): unknown;
}

export interface Commands {
  readonly all: readonly Command[];
  byId(id: string): Command;
  /** Runs a command if it is enabled; says whether it was. */
  run(id: string): boolean;
}

export const GRANULARITIES: readonly {
  readonly value: Granularity;
  readonly label: string;
  readonly title: string;
}[] = [
  { value: 'line', label: 'Line', title: 'Step by source line' },
  { value: 'bpf', label: 'BPF', title: 'Step by BPF instruction' },
  { value: 'native', label: 'Native', title: 'Step by native instruction' },
  { value: 'cycle', label: 'Cycle', title: 'Step by clock cycle' },
];

const always = computed(() => true);

export const commandsKey: InjectionKey<Commands> = Symbol('commands');

/** The window's commands, made once by the application. */
export function useCommands(): Commands {
  const commands = inject(commandsKey);
  if (!commands) throw new Error('no commands were provided to the application');
  return commands;
}

/** Every command of the window: the toolbar, the menus, the keys and the palette all come from this table. */
export function createCommands(): Commands {
  const app = useApp();
  const setup = useSetup();
  const session = useSession();
  const listing = useListing();
  const breakpoints = useBreakpoints();
  const settings = useSettings();
  const layout = useLayout();
  const output = useOutput();
  const view = useView();
  const compare = useCompare();
  const watch = useWatch();
  const passes = usePasses();
  const trampoline = useTrampoline();

  const debugging = computed(() => app.page === 'debug' && session.view !== null);
  const canMove = computed(() => debugging.value && session.canMove);
  const canMoveBack = computed(() => debugging.value && session.canMoveBack);
  const hasSession = computed(() => session.view !== null && session.action === null);
  const canSetBreakpoint = computed(() => debugging.value && listing.cursorTarget() !== undefined);

  const all: Command[] = [
    {
      id: 'continue',
      title: 'Continue or start',
      group: 'Run',
      keys: ['F5'],
      enabled: computed(() => (app.page === 'start' ? setup.ready : canMove.value)),
      run: () => (app.page === 'start' ? setup.start() : session.resume()),
    },
    {
      id: 'pause',
      title: 'Pause',
      group: 'Run',
      keys: ['F6'],
      enabled: computed(() => debugging.value && session.canPause),
      run: () => session.pause(),
    },
    {
      id: 'restart',
      title: 'Restart',
      group: 'Run',
      keys: ['Ctrl+Shift+F5'],
      enabled: computed(() => debugging.value && hasSession.value),
      run: () => session.restart(),
    },
    {
      id: 'end',
      title: 'End the session',
      group: 'Run',
      keys: ['Shift+F5'],
      enabled: computed(() => debugging.value),
      run: async () => {
        if (await session.end()) app.page = 'start';
      },
    },
    {
      id: 'step-over',
      title: 'Step over',
      group: 'Step',
      keys: ['F10'],
      enabled: canMove,
      run: () => session.step('over'),
    },
    {
      id: 'step-into',
      title: 'Step into',
      group: 'Step',
      keys: ['F11'],
      enabled: canMove,
      run: () => session.step('into'),
    },
    {
      id: 'step-out',
      title: 'Step out',
      group: 'Step',
      keys: ['Shift+F11'],
      enabled: canMove,
      run: () => session.step('out'),
    },
    {
      id: 'step-back-over',
      title: 'Step over, back in time',
      group: 'Step',
      keys: ['Alt+F10'],
      enabled: canMoveBack,
      run: () => session.stepBack('over'),
    },
    {
      id: 'step-back-into',
      title: 'Step into, back in time',
      group: 'Step',
      keys: ['Alt+F11'],
      enabled: canMoveBack,
      run: () => session.stepBack('into'),
    },
    {
      id: 'step-back-out',
      title: 'Step out, back in time: to the call of this function',
      group: 'Step',
      keys: ['Alt+Shift+F11'],
      enabled: canMoveBack,
      run: () => session.stepBack('out'),
    },
    {
      id: 'reverse-continue',
      title: 'Continue back in time',
      group: 'Run',
      keys: ['Alt+F5'],
      enabled: canMoveBack,
      run: () => session.resumeBack(),
    },
    {
      id: 'run-to-cursor',
      title: 'Run to cursor',
      group: 'Step',
      keys: ['Ctrl+F10'],
      enabled: computed(() => canMove.value && listing.targetOf(listing.cursor) !== undefined),
      run: () => {
        const target = listing.targetOf(listing.cursor);
        return target && session.runTo(target);
      },
    },
    ...GRANULARITIES.map(({ value, title }) => ({
      id: `granularity-${value}`,
      title,
      group: 'Step' as const,
      keys: [],
      enabled: always,
      run: () => settings.change({ granularity: value }),
    })),
    {
      id: 'toggle-breakpoint',
      title: 'Toggle breakpoint at the cursor',
      group: 'Breakpoints',
      keys: ['F9'],
      enabled: canSetBreakpoint,
      run: () => {
        const target = listing.cursorTarget();
        return target && breakpoints.toggle(target);
      },
    },
    ...(
      [
        ['tail-call-attempted', 'Break on tail calls attempted'],
        ['tail-call-taken', 'Break on tail calls taken'],
        ['tail-call-refused', 'Break on tail calls refused'],
        ['helper-call', 'Break on helper calls'],
      ] as const
    ).map(([event, title]) => ({
      id: `break-${event}`,
      title,
      group: 'Breakpoints' as const,
      keys: [],
      enabled: debugging,
      run: () => breakpoints.toggle({ kind: 'event', event }),
    })),
    {
      id: 'add-watchpoint',
      title: 'Add watchpoint…',
      group: 'Breakpoints',
      keys: ['Ctrl+Shift+F9'],
      enabled: computed(() => debugging.value && session.registers !== null),
      run: () => watch.compose(),
    },
    ...(['written', 'changed'] as const).map((when) => ({
      id: `break-register-${when}`,
      title: `Break when the chosen register is ${when}, on or off`,
      group: 'Breakpoints' as const,
      keys: [],
      enabled: computed(() => debugging.value && watch.registerTarget !== undefined),
      run: () => {
        const target = watch.registerTarget;
        return target?.kind === 'register' && breakpoints.toggle({ ...target, when });
      },
    })),
    ...(
      [
        ['registers', 'Who wrote the chosen register last?'],
        ['memory', 'Who wrote the chosen bytes of memory last?'],
      ] as const
    ).map(([pane, title]) => {
      const target = computed(() => (pane === 'registers' ? watch.registerTarget : watch.memoryTarget));
      return {
        id: `who-wrote-${pane}`,
        title,
        group: 'Go' as const,
        keys: [],
        enabled: computed(() => canMoveBack.value && target.value !== undefined),
        run: () => {
          layout.show(pane);
          return target.value && watch.ask(target.value, pane);
        },
      };
    }),
    {
      id: 'remove-breakpoints',
      title: 'Remove all breakpoints',
      group: 'Breakpoints',
      keys: [],
      enabled: computed(() => debugging.value && breakpoints.list.length > 0),
      run: () => breakpoints.removeAll(),
    },
    {
      id: 'open',
      title: 'Open a BPF object…',
      group: 'File',
      keys: ['Ctrl+O'],
      enabled: computed(() => app.opening === null),
      run: () => (app.info?.nativeDialog ? app.openDialog() : chooseFile((file) => app.openFile(file))),
    },
    {
      id: 'start-page',
      title: 'Programs, inputs and examples',
      group: 'File',
      keys: [],
      enabled: computed(() => app.page !== 'start'),
      run: () => (app.page = 'start'),
    },
    {
      id: 'back-to-session',
      title: 'Back to the session',
      group: 'File',
      keys: [],
      enabled: computed(() => app.page === 'start' && session.view !== null),
      run: () => (app.page = 'debug'),
    },
    {
      id: 'go-to',
      title: 'Go to address or function…',
      group: 'Go',
      keys: ['Ctrl+G'],
      enabled: debugging,
      run: () => (view.goTo = true),
    },
    {
      id: 'go-to-pc',
      title: 'Show the current instruction',
      group: 'Go',
      keys: ['Ctrl+.'],
      enabled: computed(() => debugging.value && session.place !== undefined),
      run: () => listing.setFollow(true),
    },
    {
      id: 'follow',
      title: 'Follow the pc, on or off',
      group: 'Go',
      keys: [],
      enabled: debugging,
      run: () => listing.setFollow(!listing.follow),
    },
    {
      id: 'palette',
      title: 'All commands…',
      group: 'View',
      keys: ['Ctrl+Shift+P', 'F1'],
      enabled: always,
      run: () => (view.palette = true),
    },
    {
      id: 'compare',
      title: 'Compare profiles…',
      group: 'View',
      keys: ['Ctrl+Shift+K'],
      enabled: computed(() => debugging.value || (app.page === 'start' && app.program !== undefined)),
      run: () => {
        if (!debugging.value) {
          view.compareDialog = true;
          return;
        }
        const fresh = !layout.open.includes('compare');
        layout.show('compare');
        // Two columns of native code want the whole width and height.
        if (fresh) layout.toggleMaximized('compare');
      },
    },
    {
      id: 'passes',
      title: 'Show the JIT’s passes of this function…',
      group: 'View',
      keys: [],
      enabled: computed(() => debugging.value && passes.available),
      run: () => passes.show(),
    },
    {
      id: 'trampoline',
      title: 'Show trampolines: of fentry, fexit, fmod_ret, LSM and struct_ops programs…',
      group: 'View',
      keys: [],
      enabled: computed(() => app.ready),
      run: () => trampoline.show(),
    },
    ...(
      [
        ['next-difference', 'Next difference of the comparison', 'F7', false],
        ['previous-difference', 'Previous difference of the comparison', 'Shift+F7', true],
      ] as const
    ).map(([id, title, key, back]) => ({
      id,
      title,
      group: 'Go' as const,
      keys: [key],
      enabled: computed(() => compare.active > 0 && compare.shows === 'code' && compare.stations.length > 0),
      run: () => compare.step(back),
    })),
    ...PANES.map(({ id, title }, index) => ({
      id: `pane-${id}`,
      title: `Go to pane: ${title}`,
      group: 'View' as const,
      keys: index < 10 ? [`Alt+${(index + 1) % 10}`] : [],
      enabled: debugging,
      run: () => layout.show(id as PaneId),
    })),
    {
      id: 'maximize-pane',
      title: 'Use the whole window for the pane in front, or show the others again',
      group: 'View',
      keys: [],
      enabled: debugging,
      run: () => layout.toggleMaximized(),
    },
    {
      id: 'native-bytes',
      title: 'Show or hide instruction bytes',
      group: 'View',
      keys: [],
      enabled: debugging,
      run: () => (view.bytes = view.bytes === 'on' ? 'off' : 'on'),
    },
    {
      id: 'clear-console',
      title: 'Clear the console',
      group: 'View',
      keys: [],
      enabled: debugging,
      run: () => output.clear(),
    },
    {
      id: 'reset-layout',
      title: 'Put the panes back where they were at first',
      group: 'View',
      keys: [],
      enabled: debugging,
      run: () => layout.reset(),
    },
    ...THEMES.map(({ value, label }) => ({
      id: `theme-${value}`,
      title: `Theme: ${label}`,
      group: 'View' as const,
      keys: [],
      enabled: always,
      run: () => settings.change({ theme: value }),
    })),
    {
      id: 'font-larger',
      title: 'Larger code',
      group: 'View',
      keys: [],
      enabled: computed(() => settings.fontSize < FONT_SIZES.most),
      run: () => settings.setFontSize(settings.fontSize + 1),
    },
    {
      id: 'font-smaller',
      title: 'Smaller code',
      group: 'View',
      keys: [],
      enabled: computed(() => settings.fontSize > FONT_SIZES.least),
      run: () => settings.setFontSize(settings.fontSize - 1),
    },
    {
      id: 'font-usual',
      title: 'Usual code size',
      group: 'View',
      keys: [],
      enabled: always,
      run: () => settings.setFontSize(FONT_SIZES.usual),
    },
    {
      id: 'keys-help',
      title: 'Keys',
      group: 'View',
      keys: ['Ctrl+/'],
      enabled: always,
      run: () => (view.keysHelp = true),
    },
  ];

  const known = new Map(all.map((command) => [command.id, command]));
  function byId(id: string): Command {
    const command = known.get(id);
    if (!command) throw new Error(`no command '${id}'`);
    return command;
  }

  return {
    all,
    byId,
    run(id) {
      const command = byId(id);
      if (!command.enabled.value) return false;
      void command.run();
      return true;
    },
  };
}
