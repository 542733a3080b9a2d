import type {
  TrampolineKind,
  TrampolineProgramSpec,
  TrampolineRowView,
  TrampolineSpec,
  TrampolineSuggestion,
  TrampolineTarget,
  TrampolineView,
} from '../../shared/views';

/** What is shown where no object says anything: one program in front of a function of the kernel's. */
export const PLAIN_SPEC: TrampolineSpec = {
  function: 'traced',
  target: 'kernel',
  args: 'u64',
  result: 's32',
  programs: [{ kind: 'fentry' }],
};

export const TARGET_TITLES: Readonly<Record<TrampolineTarget, string>> = {
  kernel: 'kernel function',
  bpf: 'BPF function',
  'bpf-tail-calls': 'BPF, tail calls in reach',
};

export const KIND_TITLES: Readonly<Record<TrampolineKind, string>> = {
  fentry: 'runs in front of the function',
  fexit: 'runs behind the function',
  fmod_ret: 'runs in front of it and may take its place',
  fsession: 'runs in front of it and behind it (from 7.x on)',
  lsm: 'runs on a security hook',
  struct_ops: 'takes the place of a member of a kernel struct',
};

/** The switches of a program, where the kind has them. */
export interface ProgramSwitch {
  readonly key: 'sleepable' | 'ip' | 'sessionCookie' | 'interpreted';
  readonly label: string;
  readonly title: string;
}

const SWITCHES: readonly (ProgramSwitch & { readonly not?: readonly TrampolineKind[] })[] = [
  { key: 'sleepable', label: 'sleepable', title: 'It may sleep: other functions are called around it' },
  {
    key: 'ip',
    label: 'ip',
    title: 'It calls bpf_get_func_ip: the frame keeps the function’s address',
    not: ['lsm', 'struct_ops'],
  },
  {
    key: 'sessionCookie',
    label: 'session cookie',
    title: 'A slot of the frame lasts from its first run to its second',
    not: ['fentry', 'fexit', 'fmod_ret', 'lsm', 'struct_ops'],
  },
  { key: 'interpreted', label: 'not JITed', title: 'The interpreter is called with its instructions' },
];

export const switchesOf = (kind: TrampolineKind): readonly ProgramSwitch[] =>
  SWITCHES.filter(({ not = [] }) => !not.includes(kind));

/** The program as another kind, without what that kind does not have. */
export function asKind(program: TrampolineProgramSpec, kind: TrampolineKind): TrampolineProgramSpec {
  const kept = new Set<string>(switchesOf(kind).map(({ key }) => key));
  if (kind !== 'struct_ops') kept.add('cookie');
  return {
    kind,
    ...(program.name !== undefined && { name: program.name }),
    ...Object.fromEntries(Object.entries(program).filter(([key]) => kept.has(key))),
  };
}

/** The suggestion that a program stands in, else the first. */
export function suggestionFor(
  suggestions: readonly TrampolineSuggestion[],
  program: string | undefined,
): TrampolineSuggestion | undefined {
  const own = suggestions.find(({ spec }) => spec.programs.some(({ name }) => name === program));
  const traced = suggestions.find(({ spec }) => spec.function === program);
  return own ?? traced ?? suggestions[0];
}

/** `296 bytes of 332, frame 128 bytes` */
export function sizeText({ size, allocSize, frameSize }: TrampolineView): string {
  const buffer = size === allocSize ? '' : ` in a buffer of ${allocSize}`;
  return `${size} bytes${buffer}, frame of ${frameSize} bytes`;
}

/** What an instruction does with a slot, in words for a screen reader. */
export function rowText(view: TrampolineView, row: TrampolineRowView): string {
  const slot = row.slot === undefined ? undefined : view.slots[row.slot];
  return [row.text, row.rule, slot && `${row.access ?? ''} ${slot.name}`].filter(Boolean).join(', ');
}
