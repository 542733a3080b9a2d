import { profileWords } from './compare-text';
import { columns } from './text-columns';
import type { TrampolineSlotView, TrampolineView } from './views';

/** What a trampoline's text has beside the records. */
export interface TrampolineTextOptions {
  /** Of the traced function, where BTF tells. */
  readonly prototype?: string;
  /** The rule of every instruction stands beside it. */
  readonly why?: boolean;
}

/** A trampoline as text, the same from a window and from a terminal: what it is made from, its frame, its code. */
export function trampolineText(
  view: TrampolineView,
  { prototype, why = false }: TrampolineTextOptions = {},
): string {
  const { spec, size, allocSize } = view;
  const buffer = allocSize === size ? '' : `, of a buffer of ${allocSize}`;
  return [
    `Trampoline on ${spec.function} at ${view.address}: ${size} bytes native${buffer}`,
    `  ${profileWords(view.profile)}`,
    `  ${prototype ?? `(${spec.args}) → ${spec.result}`} at ${view.functionAddress}`,
    `  ${view.entry}`,
    `  Flags: ${view.flags.join(' ') || 'none'}`,
    '',
    '  Programs in the order of attachment:',
    ...programLines(view),
    '',
    `  Frame of ${view.frameSize} bytes:`,
    ...frameLines(view),
    '',
    ...codeLines(view, why),
    '',
    '',
  ].join('\n');
}

function programLines({ programs }: TrampolineView): string[] {
  const rows = programs.map((program) => [
    program.name,
    program.kind,
    `bpf_prog ${program.prog}`,
    `bpf_func ${program.bpfFunc}`,
    `${program.enter}, …exit${program.exit.slice('__bpf_prog_exit'.length)}`,
    [
      program.sleepable && 'sleepable',
      program.ip && 'bpf_get_func_ip',
      program.cookie !== undefined && `cookie ${program.cookie}`,
      program.sessionCookie && 'session cookie',
      program.interpreted && 'interpreted',
    ]
      .filter(Boolean)
      .join(', '),
  ]);
  return columns(rows, '    ');
}

function frameLines({ slots }: TrampolineView): string[] {
  const rows = slots.map((slot) => [
    slotPlace(slot),
    slot.name,
    `${slot.size} bytes`,
    slot.register ?? '',
    slot.why,
  ]);
  return columns(rows, '    ');
}

/** `fp-24 = sp+40` */
const slotPlace = ({ fpOffset, spOffset }: TrampolineSlotView): string =>
  `fp${fpOffset < 0 ? '' : '+'}${fpOffset} = sp+${spOffset}`;

/** One line an instruction, with the slot of the frame that it works on. */
function codeLines({ native, slots }: TrampolineView, why: boolean): string[] {
  const rows = native.map(({ offset, bytes, text, rule, slot, access }) => [
    offset.toString(16).padStart(4),
    bytes,
    text,
    ...(why ? [rule] : []),
    slot === undefined || access === undefined ? '' : `; ${access} ${slots[slot]?.name ?? ''}`,
  ]);
  return columns(rows, '  ');
}
