import { sum } from './scalar-alu';
import type { VerifierEnv } from './env';
import type { LinkedPlace } from './history';
import type { RegState } from './reg';
import { known, sync, zeroExtend32, type Draft } from './scalar';
import { FP, type VerifierState } from './state';

/** More than this many linked values are not followed; the rest loses its link (LINKED_REGS_MAX). */
const MAX_LINKED = 6;

/** All scalars that are copies of the one with `id`, or a constant apart from it (collect_linked_regs). */
export function collectLinked(
  env: VerifierEnv,
  state: VerifierState,
  id: number,
  found: LinkedPlace[],
): void {
  const take = (reg: RegState, place: LinkedPlace): void => {
    if (!reg.isScalar || reg.id !== id) return;
    if (found.length < MAX_LINKED) found.push(place);
    else {
      reg.id = 0;
      reg.delta = 'none';
    }
  };
  for (let depth = state.frames.length - 1; depth >= 0; depth--) {
    const frame = state.frames[depth]!;
    const live =
      env.facts.staticLiveness && depth === state.frames.length - 1 ? env.auxAt(env.insn).liveBefore : 0x3ff;
    for (let number = 0; number < FP; number++) {
      if ((live >> number) & 1) take(frame.reg(number), { frame: depth, at: number, isSlot: false });
    }
    frame.stack.forEach((slot, index) => {
      if (slot.isSpill) take(slot.reg, { frame: depth, at: index, isSlot: true });
    });
  }
}

const at = (state: VerifierState, place: LinkedPlace): RegState | undefined => {
  const frame = state.frames[place.frame];
  return place.isSlot ? frame?.stack[place.at]?.reg : frame?.regs[place.at];
};

/** Gives what was learnt of `source` to the values linked with it (sync_linked_regs). */
export function syncLinked(
  env: VerifierEnv,
  state: VerifierState,
  source: RegState,
  linked: readonly LinkedPlace[],
): void {
  for (const place of linked) {
    const reg = at(state, place);
    if (!reg || !reg.isScalar || reg === source || reg.id !== source.id) continue;
    const { subregDef, off, delta, id } = reg;
    if ((delta === 'none' && source.delta === 'none') || reg.off === source.off) {
      reg.assign(source);
      reg.subregDef = subregDef;
      continue;
    }
    const sourceOff = source.off;
    reg.assign(source);
    reg.subregDef = subregDef;
    reg.off = off;
    reg.delta = delta;
    reg.id = id;
    const d: Draft = { ...reg.value };
    sum(d, reg.value, known(BigInt(off) - BigInt(sourceOff)), env.arithmetic);
    if (delta === 'add32') zeroExtend32(d);
    reg.value = env.facts.linkedDeltas === 'any' ? sync(d, env.arithmetic) : d;
  }
}
