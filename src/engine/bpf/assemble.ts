import { FORMS, type Form } from './assemble-forms';
import { fail, type Fixup, type Line, type State } from './assemble-line';
import type { BpfInsn } from './insn';

/** What the assembler makes of a text. */
export interface Assembled {
  readonly insns: readonly BpfInsn[];
  /** `map[name:…]` operands: the slot of the ld_imm64, whose imm is 0 (second imm = offset when `offset` is given). */
  readonly maps: readonly { readonly insn: number; readonly map: string; readonly offset?: number }[];
  /** Slot of each label. */
  readonly labels: ReadonlyMap<string, number>;
  /** 1-based line of the text for each slot. */
  readonly lines: readonly number[];
}

/**
 * Assembles the dialect that {@link printInsn} prints, one instruction a line. Besides that it takes labels (`loop:`, as
 * targets of goto, call and `subprog[…]`), slot numbers and opcodes in front as in verifier logs (`3: (bf) r1 = r2`), comments from
 * `//` or `;` on or in lines that begin with `#`, helper names without `#id`, and `r1 = 5 ll` for a 64-bit load. A hexadecimal number
 * assigned to a 64-bit register is a 64-bit load too (`r1 = 0x5`), a decimal one a move.
 * @throws EngineError `bpf/assemble` that names the line.
 */
export function assemble(text: string): Assembled {
  const state: State = { insns: [], maps: [], labels: new Map(), lines: [], fixups: [] };
  text.split(/\r?\n/).forEach((source, i) => assembleLine(state, source, i + 1));
  for (const fixup of state.fixups) applyFixup(state, fixup);
  return { insns: state.insns, maps: state.maps, labels: state.labels, lines: state.lines };
}

const LABEL = /^([A-Za-z_.$][\w.$]*)\s*:(?!:)\s*/;

function assembleLine(state: State, source: string, number: number): void {
  let text = source.replace(/(\/\/|;).*$/, '').trim();
  if (text.startsWith('#')) return;
  text = text.replace(/^\d+\s*:\s*/, '');
  const label = LABEL.exec(text);
  if (label?.[1] !== undefined) {
    if (state.labels.has(label[1])) fail({ number, text }, `the label ${label[1]} is there already`);
    state.labels.set(label[1], state.insns.length);
    text = text.slice(label[0].length);
  }
  text = text
    .replace(/^\([0-9a-fA-F]{2}\)\s*/, '')
    .replace(/\s+/g, ' ')
    .trim();
  if (text === '') return;
  const line: Line = { state, text, number };
  if (!FORMS.some((form) => tryForm(form, line))) fail(line, 'this is no BPF instruction');
}

function tryForm(form: Form, line: Line): boolean {
  const match = form.pattern.exec(line.text);
  if (!match) return false;
  const parts = match.map((part: string | undefined) => part ?? '');
  return form.build(line, parts);
}

function applyFixup(state: State, fixup: Fixup): void {
  const target = state.labels.get(fixup.label);
  const insn = state.insns[fixup.insn];
  const line = { number: fixup.line, text: fixup.label };
  if (target === undefined) return fail(line, 'there is no such label or helper');
  if (!insn) return;
  const distance = target - fixup.insn - 1;
  if (fixup.field === 'off' && (distance < -0x8000 || distance > 0x7fff)) {
    fail(line, `the label is ${distance} slots away, more than the 16 bits of a goto reach; use gotol`);
  }
  state.insns[fixup.insn] = { ...insn, [fixup.field]: distance };
}
