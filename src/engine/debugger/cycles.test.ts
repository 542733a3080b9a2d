import { describe, expect, test } from 'vitest';
import type { TimingName } from '../machine/timing/profile';
import { exampleSession } from './testing/examples';
import type { Session } from './session';

const hierarchy = (timing: TimingName | 'none' = 'rocket'): Session =>
  exampleSession('hierarchy', 'entry', {}, { timing });

function step(session: Session, back = false): void {
  if (back) session.stepBack('into', 'cycle');
  else session.step('into', 'cycle');
  session.runToStop();
}

function toCycle(session: Session, cycle: number): void {
  session.runToCycle(cycle);
  session.runToStop();
}

/** Where a session is, as far as the machine goes. */
const place = (session: Session) => {
  const { cycle, counters } = session.view();
  return { cycle, instructions: counters.instructions, pc: session.execution.machine.pc };
};

/** The stages in the present cycle: mnemonics, `-cause` for bubbles, `!` for what cannot move on. */
function stages(session: Session): string {
  const view = session.views.pipeline();
  const cells = view.stages.map(({ rows, bubble, stalled }) => {
    const names = rows.map((index) => view.rows[index]!.text.split(' ')[0]!);
    return names.length > 0 ? names.join('+') + (stalled ? '!' : '') : `-${bubble ?? ''}`;
  });
  return `${view.cycle} ${cells.join(' ')}`;
}

describe('step by cycle', () => {
  test('shows an instruction move through the stages, a load-use stall and what a jump throws away', () => {
    const session = hierarchy();
    toCycle(session, 11);
    const seen = Array.from({ length: 14 }, () => {
      step(session);
      return stages(session);
    });
    expect(seen).toEqual([
      '12 sd addi ld slli addiw',
      '13 sd! addi! -load-use ld slli',
      '14 mv sd addi -load-use ld',
      '15 auipc mv sd addi -load-use',
      '16 jalr auipc mv sd addi',
      '17 -branch jalr auipc mv sd',
      '18 -branch -branch jalr auipc mv',
      '19 -branch -branch -branch jalr auipc',
      '20 nop -branch -branch -branch jalr',
      '21 nop nop -branch -branch -branch',
      '22 addi nop nop -branch -branch',
      '23 sd addi nop nop -branch',
      '24 addi sd addi nop nop',
      '25 lui addi sd addi nop',
    ]);
  });

  test('says why nothing retires; the state stays as it is', () => {
    const session = hierarchy();
    toCycle(session, 14);
    const before = place(session);
    step(session);
    expect(session.stopReason!.text).toBe(
      'Cycle 15: nothing retires; waits for a value that is being loaded.',
    );
    expect(place(session)).toEqual({ ...before, cycle: 15 });
  });

  test.each(['rocket', 'u74', 'ideal'] as const)(
    '%s: cycle by cycle, the state is what has retired; backwards the same states come again',
    (timing) => {
      const session = hierarchy(timing);
      const forwards = [place(session)];
      for (let i = 0; i < 300; i++) {
        step(session);
        forwards.push(place(session));
        const { rows } = session.views.pipeline();
        const last = rows.filter((row) => row.retired).at(-1);
        expect(last!.enter.at(-1)! <= forwards.at(-1)!.cycle!).toBe(true);
        const next = rows.find((row) => !row.retired);
        if (next) expect(next.enter.at(-1)!).toBeGreaterThan(forwards.at(-1)!.cycle!);
      }
      expect(forwards.map(({ cycle }) => cycle)).toEqual(forwards.map((_, i) => i));
      const backwards = [place(session)];
      while (session.canGoBack) {
        step(session, true);
        backwards.push(place(session));
      }
      expect(backwards.reverse()).toEqual(forwards);
    },
  );

  test('u74 retires two instructions in a cycle', () => {
    const session = hierarchy('u74');
    let most = 0;
    for (let i = 0; i < 30; i++) {
      const before = place(session).instructions;
      step(session);
      most = Math.max(most, place(session).instructions - before);
    }
    expect(most).toBe(2);
  });

  test('a kernel function is a step that takes no cycle, both ways', () => {
    const session = exampleSession('bpf2bpf_helpers', 'measure');
    while (!session.execution.inKernel) step(session);
    const entry = place(session);
    expect(session.views.pipeline().kernel).toBeDefined();
    step(session);
    const after = place(session);
    expect(after).toMatchObject({ cycle: entry.cycle, instructions: entry.instructions });
    expect(after.pc).not.toBe(entry.pc);
    expect(session.views.pipeline().rows.find((row) => !row.retired)?.kernelBefore).toBeDefined();
    step(session, true);
    expect(place(session)).toEqual(entry);
  });

  test('stops at breakpoints, and at the end of the program', () => {
    const session = hierarchy();
    const pc = `0x${(session.execution.machine.pc + 12n).toString(16)}`;
    session.breakpoints.add({ kind: 'native', address: pc });
    toCycle(session, 1000);
    expect(session.stopReason).toMatchObject({ kind: 'breakpoint' });
    expect(session.view().cycle).toBe(3);
    session.breakpoints.remove(1);
    toCycle(session, 1_000_000_000);
    expect(session.stopReason!.kind).toBe('exit');
  });
});

describe('run to a cycle', () => {
  test('leads to the state that steps lead to, from before and from behind', () => {
    const stepped = hierarchy();
    const states = Array.from({ length: 200 }, () => {
      step(stepped);
      return place(stepped);
    });
    const session = hierarchy();
    for (const cycle of [1, 20, 21, 150, 149, 55, 199, 2]) {
      toCycle(session, cycle);
      expect(place(session)).toEqual(states[cycle - 1]);
    }
    const far = hierarchy();
    toCycle(far, 2000);
    const there = place(far);
    expect(there.cycle).toBe(2000);
    toCycle(far, 2100);
    toCycle(far, 2000);
    expect(place(far)).toEqual(there);
  });

  test.each([-1, 1.5, 2 ** 60])('refuses cycle %s', (cycle) => {
    expect(() => hierarchy().runToCycle(cycle)).toThrow('There is no cycle');
  });
});

test('looking at the pipeline changes nothing', () => {
  const session = hierarchy();
  const other = hierarchy();
  for (const each of [session, other]) toCycle(each, 777);
  const view = session.views.pipeline();
  expect(session.views.pipeline()).toEqual(view);
  for (const each of [session, other]) {
    each.continue();
    each.runToStop();
  }
  expect(session.view()).toEqual({ ...other.view() });
  expect(session.views.maps()).toEqual(other.views.maps());
});

test('the view goes back some hundred instructions and says where all cycles went', () => {
  const session = hierarchy();
  toCycle(session, 2000);
  const { rows, totals } = session.views.pipeline();
  expect(rows.length).toBeGreaterThan(300);
  const lost = Object.values(totals.lost).reduce((sum, cycles) => sum + cycles, 0);
  expect(totals.instructions - totals.paired + lost).toBe(totals.cycles);
});

test('without a timing profile there are no cycles to go by', () => {
  const session = hierarchy('none');
  expect(session.view()).not.toHaveProperty('cycle');
  expect(() => session.step('into', 'cycle')).toThrow(/counts no cycles/);
  expect(() => session.stepBack('into', 'cycle')).toThrow(/first instant/);
  expect(() => session.runToCycle(5)).toThrow(/counts no cycles/);
  expect(() => session.views.pipeline()).toThrow(/counts no cycles/);
});
