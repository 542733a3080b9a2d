import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { bytesToHex } from '../base/hex';
import { Random } from '../base/testing/random';
import { readElf } from '../elf/read';
import { loadBareMetal } from './bare-metal';
import { BLOCK_DATA_BYTES, randomBlock } from './testing/blocks';

/*
 * Lockstep with qemu's user emulation, an independent implementation: the same executable runs there and on the machine
 * up to its write(1, data, size); what it writes must be the same.
 */
const QEMU = 'qemu-riscv64';
const GCC = 'riscv64-linux-gnu-gcc';
const has = (command: string): boolean => spawnSync(command, ['--version']).status === 0;
const hasQemu = has(QEMU);
const hasGcc = has(GCC);

const dir = mkdtempSync(path.join(tmpdir(), 'hartbeat-qemu-'));
afterAll(() => rmSync(dir, { recursive: true }));

const A1 = 11;
const A2 = 12;
const A7 = 17;
const WRITE = 64n;

function onQemu(elf: Uint8Array, name: string): Uint8Array {
  const file = path.join(dir, name);
  writeFileSync(file, elf, { mode: 0o755 });
  return execFileSync(QEMU, ['-cpu', 'rv64,zba=true,zbb=true,zbs=true', file], { maxBuffer: 1 << 24 });
}

/** Runs to the first system call, which must be write, and gives what it would write. */
function onMachine(elf: Uint8Array, timing: 'none' | 'u74'): Uint8Array {
  const program = loadBareMetal(readElf(elf, 'program'), { timing });
  const { machine } = program;
  const stop = program.run(50_000_000);
  expect(stop).toMatchObject({ reason: 'ecall' });
  expect(machine.getRegister(A7)).toBe(WRITE);
  return machine.memory.read(machine.getRegister(A1), Number(machine.getRegister(A2)));
}

describe.skipIf(!hasQemu)(`as ${QEMU} (skipped where it is not installed: Debian's qemu-user)`, () => {
  const blocks = Array.from({ length: 12 }, (_, index) => index + 1);
  test.each(blocks)('random block %i: 3,000 instructions', (seed) => {
    const elf = randomBlock(new Random(seed), 3000);
    const expected = onQemu(elf, `block-${seed}`);
    expect(expected.length).toBe(BLOCK_DATA_BYTES);
    expect(bytesToHex(onMachine(elf, seed % 2 === 0 ? 'none' : 'u74'))).toBe(bytesToHex(expected));
  });

  const programs = fileURLToPath(new URL('./testing/programs/', import.meta.url));
  const sources = readdirSync(programs).filter((name) => name.endsWith('.c'));
  const flags = ['-O2 -march=rv64imac', '-O1 -march=rv64ima', '-O3 -march=rv64imac_zba_zbb_zbs'];
  const builds = sources.flatMap((source) => flags.map((flag) => [source, flag] as const));
  test.skipIf(!hasGcc).each(builds)(
    `%s compiled with %s (skipped without ${GCC}: Debian's gcc-riscv64-linux-gnu)`,
    (source, flag) => {
      const file = path.join(dir, `${source}.elf`);
      const fixed = [
        '-mabi=lp64',
        '-static',
        '-fno-pie',
        '-no-pie',
        '-nostdlib',
        '-nostartfiles',
        '-ffreestanding',
        '-fno-tree-loop-distribute-patterns',
      ];
      execFileSync(GCC, [...flag.split(' '), ...fixed, '-o', file, path.join(programs, source)]);
      const elf = new Uint8Array(readFileSync(file));
      const expected = onQemu(elf, 'program');
      expect(expected.length).toBeGreaterThan(40_000);
      expect(Buffer.compare(onMachine(elf, 'none'), expected)).toBe(0);
    },
  );
});
