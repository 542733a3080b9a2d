import { describe, expect, test } from 'vitest';
import { assembled, DATA } from '../testing/assembled';
import type { Machine } from '../types';
import { layOutPipeline, pipelineAt, type PipelineRow } from './pipeline';
import { TIMING_PROFILES, type TimingName } from './profile';
import { LOST_CAUSES } from './timer';

/** What programs load are addresses that they can load from. */
function fillWithPointers(machine: Machine): void {
  for (let offset = 0n; offset < 64n; offset += 8n) machine.memory.writeU64(DATA + offset, DATA);
}

/** Runs a program to its ebreak. */
function timed(timing: TimingName, source: string, caches = false) {
  const { machine } = assembled(`${source}\nebreak`, { timing, caches });
  fillWithPointers(machine);
  expect(machine.run(1_000_000).reason).toBe('ebreak');
  const { cycles, instructions } = machine.counters();
  const stack = machine.cpiStack()!;
  const lost = Object.fromEntries(
    LOST_CAUSES.filter((c) => stack.lost[c] > 0n).map((c) => [c, Number(stack.lost[c])]),
  );
  // The stack accounts for every cycle.
  const sum = Object.values(lost).reduce((a, b) => a + b, 0);
  expect(Number(cycles)).toBe(Number(instructions) - Number(stack.paired) + sum);
  return { cycles: Number(cycles), instructions: Number(instructions), paired: Number(stack.paired), lost };
}

describe('rocket: cycles by hand', () => {
  test.each([
    ['arithmetic is forwarded', 'addi a1, zero, 1\nadd a2, a1, a1\nadd a3, a2, a1', 3, {}],
    ['ld, then use: one bubble', 'ld a1, 0(a0)\nadd a2, a1, a1', 3, { 'load-use': 1 }],
    ['lb, then use: two bubbles', 'lb a1, 0(a0)\nadd a2, a1, a1', 4, { 'load-use': 2 }],
    ['an instruction between hides it', 'ld a1, 0(a0)\nnop\nadd a2, a1, a1', 3, {}],
    ['a load that nobody uses costs nothing', 'ld a1, 0(a0)\nadd a2, a3, a3', 2, {}],
    ['the address of a load waits too', 'ld a1, 0(a0)\nld a2, 0(a1)\n', 3, { 'load-use': 1 }],
    ['mul: three bubbles', 'mul a1, a2, a3\nadd a4, a1, a1', 5, { mul: 3 }],
    ['amoadd, then use', 'amoadd.w a1, a2, (a0)\nadd a4, a1, a1', 3, { atomic: 1 }],
    ['a CSR read, then use', 'csrrs a1, instret, zero\nadd a4, a1, a1', 4, { 'csr-or-jump': 2 }],
    // Seven significant bits by three: five steps.
    [
      'a division: 4 cycles and one a bit',
      'li a1, 100\nli a2, 7\ndivu a3, a1, a2\nadd a4, a3, a3',
      12,
      { div: 8 },
    ],
    ['by zero: all bits', 'li a1, 100\ndivu a3, a1, zero\nadd a4, a3, a3', 70, { div: 67 }],
    // The second waits for the divider, until the cycle in which the first is done.
    ['two divisions', 'li a1, 1\ndivu a3, a1, a1\ndivu a4, a1, a1', 6, { div: 3 }],
    ['a jump is predicted', 'j 1f\nnop\n1: nop', 2, {}],
    ['a branch not taken is predicted at first', 'bne zero, zero, 1f\n1: nop', 2, {}],
    ['a branch taken is not', 'beq zero, zero, 1f\nnop\n1: nop', 5, { branch: 3 }],
    // Counters start at "strongly not taken": two misses, then right, then one miss at the end.
    ['a loop of ten rounds', 'li a1, 10\n1: addi a1, a1, -1\nbnez a1, 1b', 30, { branch: 9 }],
    ['call and return are predicted', 'jal ra, 1f\nj 2f\n1: ret\n2: nop', 4, {}],
    ['fence.i flushes', 'fence.i\nnop', 6, { flush: 4 }],
  ] as const)('%s', (_name, source, cycles, lost) => {
    const result = timed('rocket', source);
    expect({ cycles: result.cycles, lost: result.lost }).toEqual({ cycles, lost });
  });
});

describe('u74: cycles by hand', () => {
  test.each([
    ['two independent instructions share a cycle', 'addi a1, zero, 1\naddi a2, zero, 2', 1, 1],
    ['dependent ones do not', 'addi a1, zero, 1\naddi a2, a1, 2', 2, 0],
    ['two loads need the same pipe', 'ld a1, 0(a0)\nld a2, 8(a0)', 2, 0],
    ['a load and a branch do not', 'ld a1, 0(a0)\nbne zero, zero, 1f\n1:', 1, 1],
    // The add executes late: no bubble.
    ['ld, then arithmetic', 'ld a1, 0(a0)\nadd a2, a1, a1', 2, 0],
    // The address is needed early.
    ['ld, then an address', 'ld a1, 0(a0)\nld a2, 0(a1)', 4, 0],
    // ld in 1, add in 2 (done late, ready in 5), ld in 5.
    ['ld, arithmetic, then an address', 'ld a1, 0(a0)\nadd a2, a1, a0\nld a3, 0(a2)', 5, 0],
    ['stores read their data late', 'ld a1, 0(a0)\nsd a1, 8(a0)', 2, 0],
    ['mul, then arithmetic', 'mul a1, a2, a3\nadd a4, a1, a1', 2, 0],
    // The second one in 2, because it reads late what the first one makes late; the address in 5.
    ['rev8 is always late', 'rev8 a1, a0\nrev8 a2, a1\nld a3, 0(a2)', 5, 0],
    ['rotations are, too', 'rori a1, a0, 0\nld a2, 0(a1)', 4, 0],
    ['rev8, then arithmetic', 'rev8 a1, a0\nadd a2, a1, a1', 2, 0],
    ['rev8 can go together with a branch, a rotation cannot', 'rev8 a1, a0\nbne zero, zero, 1f\n1:', 1, 1],
    ['a rotation has the pipe of branches', 'rori a1, a0, 1\nbne zero, zero, 1f\n1:', 2, 0],
    // The jump in 4, in the cycle after the load; three more for its wrong prediction.
    ['jumps read their target late', 'auipc a1, 0\nsd a1, 0(a0)\nld a2, 0(a0)\njr 16(a2)', 7, 0],
    ['what follows a taken jump starts a cycle', 'j 1f\n1: nop', 2, 0],
  ] as const)('%s', (_name, source, cycles, paired) => {
    const { machine } = assembled(`${source}\nebreak`, { timing: 'u74' });
    fillWithPointers(machine);
    if (source.includes('add a2, a1, a0')) machine.memory.writeU64(DATA, 0n);
    expect(machine.run(100).reason).toBe('ebreak');
    expect([Number(machine.counters().cycles), Number(machine.cpiStack()!.paired)]).toEqual([cycles, paired]);
  });
});

test('ideal: a cycle is an instruction', () => {
  expect(timed('ideal', 'ld a1, 0(a0)\nmul a2, a1, a1\nadd a3, a2, a2')).toMatchObject({
    cycles: 3,
    lost: {},
  });
});

test('caches: the first touch of a line costs a miss, code and data', () => {
  const { cycles, lost } = timed('rocket', 'ld a1, 0(a0)\nld a2, 8(a0)\nld a3, 64(a0)', true);
  expect({ cycles, lost }).toEqual({ cycles: 3 + 20 + 40, lost: { icache: 20, dcache: 40 } });
});

const LOOP = `
  li a1, 200
1: ld a2, 0(a0)
  add a3, a3, a2
  mul a4, a3, a1
  sd a4, 8(a0)
  divu a5, a4, a1
  call 2f
  addi a1, a1, -1
  bnez a1, 1b
  ebreak
2: andi a6, a5, 1
  beqz a6, 3f
  xor a7, a7, a5
3: ret`;

describe.each(['rocket', 'u74'] as const)('%s: time does not depend on how it is run', (timing) => {
  const whole = assembled(LOOP, { timing, caches: true }, true).machine;
  whole.run(1_000_000);
  const expected = [whole.counters(), whole.cpiStack()];

  test('in pieces', () => {
    const { machine } = assembled(LOOP, { timing, caches: true }, true);
    for (let i = 1; machine.run(i).reason === 'limit'; i = (i * 7) % 31 || 1);
    expect([machine.counters(), machine.cpiStack()]).toEqual(expected);
  });

  test('with breakpoints', () => {
    const { machine } = assembled(LOOP, { timing, caches: true }, true);
    for (let offset = 0n; offset < 60n; offset += 2n) machine.setBreakpoint(whole.pc - 40n + offset);
    let stops = 0;
    while (machine.run(1000, { skipFirst: true }).reason !== 'ebreak') stops++;
    expect(stops).toBeGreaterThan(1000);
    expect([machine.counters(), machine.cpiStack()]).toEqual(expected);
  });

  test('through faults: what did not execute took no time', () => {
    const { machine } = assembled(`ld a1, 0(a0)\nld a2, 0(a1)\nsd a2, 0(a1)\nebreak`, { timing });
    machine.run(1);
    const before = [machine.counters(), machine.cpiStack()];
    expect(machine.run(1)).toMatchObject({ reason: 'fault', address: 0n });
    expect([machine.counters(), machine.cpiStack()]).toEqual(before);
  });

  test('recording', () => {
    const { machine } = assembled(LOOP, { timing, caches: true }, true);
    machine.recordPipeline(true);
    machine.run(1_000_000);
    expect([machine.counters(), machine.cpiStack()]).toEqual(expected);
  });

  test('cycle by cycle', () => {
    const { machine } = assembled(LOOP, { timing, caches: true }, true);
    let reason = 'limit';
    for (let cycle = 1n; reason === 'limit'; cycle++) {
      reason = machine.run(1_000_000, { untilCycle: cycle }).reason;
      // Nothing more is executed once the cycle is reached.
      if (reason === 'limit')
        expect(machine.run(10, { untilCycle: cycle })).toEqual({ reason: 'limit', pc: machine.pc });
    }
    expect([machine.counters(), machine.cpiStack()]).toEqual(expected);
  });
});

const LETTERS: Readonly<Record<string, string>> = {
  IF: 'F',
  ID: 'D',
  EX: 'X',
  MEM: 'M',
  WB: 'W',
  AG: 'A',
  M1: '1',
  M2: '2',
};

/** One line an instruction, one column a cycle: the stage's letter when the instruction enters it, `·` while it waits there. */
function diagram(timing: TimingName, source: string, caches = false): string[] {
  const { machine } = assembled(`${source}\nebreak`, { timing, caches });
  fillWithPointers(machine);
  const profile = TIMING_PROFILES[timing];
  machine.recordPipeline(true);
  machine.run(1000);
  const rows = layOutPipeline(machine.pipeline(), profile);
  const start = rows[0]!.enter[0]!;
  const end = rows.reduce((last, { leave }) => (leave > last ? leave : last), 0n);
  const cell = (row: PipelineRow, cycle: bigint): string => {
    const view = pipelineAt([row], cycle, profile).find(({ rows: there }) => there.length > 0);
    if (!view) return ' ';
    return view.stalled ? '·' : (LETTERS[view.stage] ?? view.stage.at(0)!);
  };
  const columns = Array.from({ length: Number(end - start) }, (_, i) => start + BigInt(i));
  return rows.map((row) =>
    columns
      .map((cycle) => cell(row, cycle))
      .join('')
      .trimEnd(),
  );
}

describe('the pipeline diagram', () => {
  test('rocket: a load-use bubble and a wrong prediction', () => {
    expect(diagram('rocket', 'ld a1, 0(a0)\nadd a2, a1, a1\nbeq zero, zero, 1f\n1: nop')).toEqual([
      'FDXMW',
      ' FD·XMW',
      '  F·DXMW',
      // Fetched when the branch is through the memory stage.
      '       FDXMW',
    ]);
  });

  test('rocket: a miss of the data cache holds up everything', () => {
    const wait = '·'.repeat(20);
    expect(diagram('rocket', 'ld a1, 0(a0)\nnop\nnop', true)).toEqual([
      `F${wait}DXM${wait}W`,
      ` ${' '.repeat(20)}FD${wait}XMW`,
      ` ${' '.repeat(20)} F${wait}DXMW`,
    ]);
  });

  test('u74: pairs go together', () => {
    expect(diagram('u74', 'addi a1, zero, 1\naddi a2, zero, 2\nadd a3, a1, a2\nld a4, 0(a0)')).toEqual([
      'FFDDA12W',
      'FFDDA12W',
      ' FFDDA12W',
      ' FFDDA12W',
    ]);
  });

  test('what stands in each stage in one cycle, and why a stage is empty', () => {
    const { machine } = assembled('ld a1, 0(a0)\nadd a2, a1, a1\nebreak', { timing: 'rocket' });
    machine.recordPipeline(true);
    machine.run(10);
    const rows = layOutPipeline(machine.pipeline(), TIMING_PROFILES.rocket);
    const views = pipelineAt(rows, rows[0]!.entry.issue + 1n, TIMING_PROFILES.rocket);
    expect(
      views.map(({ stage, rows: there, stalled, bubble }) => [stage, there.length, stalled, bubble]),
    ).toEqual([
      ['IF', 0, false, undefined],
      ['ID', 1, true, undefined],
      ['EX', 0, false, 'load-use'],
      ['MEM', 1, false, undefined],
      ['WB', 0, false, undefined],
    ]);
  });
});
