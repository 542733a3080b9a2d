import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { buildWorld } from '../src/engine/debugger/build';
import { CodeIndex } from '../src/engine/debugger/code-index';
import { loadObject } from '../src/engine/loader/load';
import { blockCycles } from '../src/engine/machine/timing/block';
import { TIMING_PROFILES, type TimingProfile } from '../src/engine/machine/timing/profile';
import { parseProfile } from '../src/engine/jit/profile';
import { cyclesAsMca, type McaModel } from './timing/as-mca';
import type { DecodedInsn } from '../src/engine/rv64/decode';
import { disassemble, type DisassembledInsn } from '../src/engine/rv64/disassemble';

const MCA = 'llvm-mca-19';
const CPUS = { rocket: 'rocket-rv64', u74: 'sifive-u74' } as const;

/** What RISCVSchedRocket.td and RISCVSchedSiFive7.td say. */
const MODELS: Readonly<Record<keyof typeof CPUS, McaModel>> = {
  rocket: { profile: TIMING_PROFILES.rocket, width: 1, latency: {}, advance: {} },
  u74: {
    profile: TIMING_PROFILES.u74,
    width: 2,
    latency: { alu: 3, 'alu-b': 3, branch: 3, 'branch-back': 3 },
    advance: {
      alu: { rs1: 2, rs2: 2 },
      'alu-b': { rs1: 2, rs2: 2 },
      branch: { rs1: 2, rs2: 2 },
      'branch-back': { rs1: 2, rs2: 2 },
      store: { rs1: 0, rs2: 2 },
    },
  },
};

/** LLVM's model says that arithmetic always happens in the late unit: results for addresses come three cycles later. */
const U74: TimingProfile = TIMING_PROFILES.u74;
const U74_DUAL = U74.dualIssue!;
const LATE = { rs1: true, rs2: true, result: false };
const ALWAYS_LATE: TimingProfile = {
  ...U74,
  latency: { ...U74.latency, alu: 3, 'alu-b': 3 },
  dualIssue: { ...U74_DUAL, late: { ...U74_DUAL.late, alu: LATE, 'alu-b': LATE } },
};
const HEADINGS = ['insns', 'mca', 'rocket', '', 'as mca', 'mca', 'u74', '', 'u74 late', '', 'as mca'];

const EXPLANATION = `Why they differ:
- From "u74" to "u74 late": llvm-mca does all arithmetic in the late unit, so that addresses wait two cycles more for it. The
  core does it early when the operands are there (LLVM review D153666), and so does the profile. "u74 late" is the profile with
  llvm-mca's rule.
- From "u74 late", and from "rocket", to "as mca": llvm-mca lets no instruction be done before an earlier one. After a load or, in
  its u74 model, after arithmetic (3 cycles), an instruction of one cycle (a store, a nop) is held back, which costs up to two
  cycles at each such place, and once a round in a block that begins with the two entry nops. The cores issue it; results are
  written in order at the end of the pipeline. And llvm-mca gives arithmetic the two pipes in turns, not looking at what the next
  instruction needs.
"as mca" applies just these rules (bench/timing/as-mca.ts); where it equals llvm-mca they explain the whole difference.`;

/** Shorter blocks say little. */
const LEAST = 4;
const JUMPS = new Set<string>(['branch', 'j', 'jalr']);

interface Block {
  readonly name: string;
  readonly lines: readonly DisassembledInsn[];
}

/** The basic blocks of an image: between jumps and targets of jumps. */
function blocksOf(name: string, image: Uint8Array, base: bigint): Block[] {
  const lines = [...disassemble(image, base)];
  const starts = new Set<bigint>([base]);
  for (const { insn, address, size } of lines) {
    if (!insn || !JUMPS.has(insn.base.format)) continue;
    starts.add(address + BigInt(size));
    if (insn.base.format !== 'jalr') starts.add(address + BigInt(insn.imm));
  }
  const blocks: Block[] = [];
  let from = 0;
  for (let i = 1; i <= lines.length; i++) {
    const line = lines[i];
    if (line && !starts.has(line.address)) continue;
    const piece = lines.slice(from, i);
    blocks.push({ name: `${name}+0x${(piece[0]!.address - base).toString(16)}`, lines: piece });
    from = i;
  }
  return blocks;
}

/** What llvm-mca can say something about: no calls, no jumps to registers, nothing undecoded. */
function comparable({ lines }: Block): boolean {
  return (
    lines.length >= LEAST &&
    lines.every(({ insn }) => insn && insn.base.format !== 'jalr' && insn.base.format !== 'j')
  );
}

/** Assembly as llvm-mca reads it: targets do not matter. */
const forMca = ({ insn, text }: DisassembledInsn): string =>
  insn?.base.format === 'branch' ? text.replace(/0x[0-9a-f]+.*$/, '.') : text;

function mcaCycles(lines: readonly DisassembledInsn[], cpu: string): number | undefined {
  const rounds = 100;
  const run = (iterations: number): number => {
    const { stdout, stderr } = spawnSync(
      MCA,
      ['-mtriple=riscv64', `-mcpu=${cpu}`, '-mattr=+m,+a,+c,+zba,+zbb,+zbs', `-iterations=${iterations}`],
      { input: lines.map(forMca).join('\n'), encoding: 'utf8' },
    );
    const cycles = /Total Cycles:\s+(\d+)/.exec(stdout);
    if (!cycles && process.env['MCA_ERRORS']) console.log(stderr);
    return cycles ? Number(cycles[1]) : NaN;
  };
  const cycles = (run(rounds + 10) - run(10)) / rounds;
  return Number.isNaN(cycles) ? undefined : cycles;
}

/** Cycles of basic blocks of the examples' JITed code: our timing profiles beside llvm-mca's models of the same cores. */
export default function bench(): void {
  if (spawnSync(MCA, ['--version']).status !== 0) {
    console.log(`${MCA} is not installed (Debian's llvm-19); there is nothing to compare with.`);
    return;
  }
  const examples = path.resolve('examples');
  const seen = new Set<string>();
  const blocks = readdirSync(examples)
    .filter((file) => file.endsWith('.o'))
    .flatMap((file) => {
      const object = loadObject(readFileSync(path.join(examples, file)), file);
      return object.programs
        .filter((program) => program.unsupported === undefined)
        .flatMap((program) => {
          const { kernel } = buildWorld({ object, profile: parseProfile({}), program: program.name });
          return new CodeIndex(kernel).functions.flatMap((code) =>
            blocksOf(code.key, code.fn.image, code.fn.base),
          );
        });
    })
    .filter(comparable)
    .filter(({ lines }) => {
      const text = lines.map(forMca).join('\n');
      if (seen.has(text)) return false;
      seen.add(text);
      return true;
    });
  const insnsOf = (block: Block): DecodedInsn[] => block.lines.map(({ insn }) => insn!);
  console.log(`${'block'.padEnd(36)}${HEADINGS.map((heading) => heading.padStart(9)).join('')}`);
  const far = new Map<string, number>();
  for (const block of blocks) {
    const insns = insnsOf(block);
    const compared = (name: string, profile: TimingProfile, theirs: number | undefined): string => {
      const ours = blockCycles(insns, profile);
      const difference = theirs === undefined ? NaN : (100 * (ours - theirs)) / theirs;
      if (Math.abs(difference) > 10) far.set(name, (far.get(name) ?? 0) + 1);
      return ours.toFixed(2).padStart(9) + `${difference.toFixed(0)}%`.padStart(9);
    };
    const explained = (name: string, model: McaModel, theirs: number | undefined): string => {
      const same = cyclesAsMca(insns, model);
      if (theirs !== undefined && Math.abs(same - theirs) / theirs > 0.02)
        far.set(`${name} as mca`, (far.get(`${name} as mca`) ?? 0) + 1);
      return same.toFixed(2).padStart(9);
    };
    const rocket = mcaCycles(block.lines, CPUS.rocket);
    const u74 = mcaCycles(block.lines, CPUS.u74);
    const number = (value: number | undefined): string => (value?.toFixed(2) ?? '-').padStart(9);
    console.log(
      block.name.padEnd(36) +
        String(block.lines.length).padStart(9) +
        number(rocket) +
        compared('rocket', TIMING_PROFILES.rocket, rocket) +
        explained('rocket', MODELS.rocket, rocket) +
        number(u74) +
        compared('u74', TIMING_PROFILES.u74, u74) +
        compared('u74 late', ALWAYS_LATE, u74) +
        explained('u74', MODELS.u74, u74),
    );
  }
  console.log(
    `${blocks.length} blocks; more than 10 % apart: ${[...far].map(([name, n]) => `${name} ${n}`).join(', ')}`,
  );
  console.log(EXPLANATION);
}
