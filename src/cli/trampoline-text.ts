import type { TrampolineSuggestion, TrampolineView } from '../engine/debugger/views';
import { profileWords } from '../shared/compare-text';
import { counted, table } from './table';

/**
 * A trampoline as text: what it is made from, its frame, its code.
 * @param prototype of the traced function, where BTF tells
 * @param why the rule of every instruction stands beside it
 */
export function trampolineText(
  view: TrampolineView,
  prototype: TrampolineSuggestion['prototype'],
  why: boolean,
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
    `${programsText(view)}`,
    `${frameText(view)}`,
    codeText(view, why),
    '',
  ].join('\n');
}

function programsText({ programs }: TrampolineView): string {
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
  return `  Programs in the order of attachment:\n${table(rows, '    ')}`;
}

function frameText({ slots, frameSize }: TrampolineView): string {
  const rows = slots.map((slot) => [
    `fp${slot.fpOffset < 0 ? '' : '+'}${slot.fpOffset} = sp+${slot.spOffset}`,
    slot.name,
    counted(slot.size, 'byte'),
    slot.register ?? '',
    slot.why,
  ]);
  return `  Frame of ${counted(frameSize, 'byte')}:\n${table(rows, '    ')}`;
}

/** One line an instruction, with the slot of the frame that it works on. */
function codeText({ native, slots }: TrampolineView, why: boolean): string {
  const rows = native.map(({ offset, bytes, text, rule, slot, access }) => [
    offset.toString(16).padStart(4),
    bytes,
    text,
    ...(why ? [rule] : []),
    slot === undefined || access === undefined ? '' : `; ${access} ${slots[slot]?.name ?? ''}`,
  ]);
  return table(rows, '  ');
}
