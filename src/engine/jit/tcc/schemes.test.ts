import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { KERNELS } from '../../profile/kernels';
import { disassemble } from '../../rv64/disassemble';
import { why } from '../lookup';
import { parseProfile, SCHEMES } from '../profile';
import { RULES } from '../rules';
import { compileProgram } from '../subprograms';
import type { JitFunction } from '../types';
import { SCHEME_NAMES, type TccSchemeName } from './index';

/**
 * What each scheme adds to the worked example of the specification (5.5): a main program that calls a subprogram and a helper; a
 * subprogram that calls a helper and tail-calls. Only the counter's own instructions are listed, in a text beside the scheme's
 * file. To make or renew it after a wanted change, run the test with HARTBEAT_UPDATE=1.
 */
const goldenOf = (tcc: TccSchemeName): string => path.join(import.meta.dirname, `${tcc}.golden.txt`);

const insn = (code: number, dst = 0, src = 0, imm = 0) => ({ code, dst, src, off: 0, imm });
const EXAMPLE = [
  insn(0xbf, 6, 1),
  insn(0x85, 0, 1, 6), // call sub
  insn(0xbf, 7, 0),
  insn(0xbf, 1, 6),
  insn(0x85, 0, 0, 0x1000), // call helper
  insn(0x0f, 0, 7),
  insn(0x95),
  insn(0xb7, 0, 0, 0),
  insn(0xbf, 6, 1), // sub:
  insn(0x85, 0, 0, 0x2000),
  insn(0xbf, 1, 6),
  insn(0x18, 2, 0, 0x1000),
  insn(0),
  insn(0xb7, 3, 0, 0),
  insn(0xf5),
  insn(0xb7, 0, 0, 1),
  insn(0x95),
];

function counterCode(fn: JitFunction): string[] {
  const lines: string[] = [];
  for (const { address, text } of disassemble(fn.image.subarray(0, fn.finalLen), fn.base)) {
    const offset = Number(address - fn.base);
    const rule = why(fn, offset)?.rule ?? '';
    if (rule.startsWith('tcc/'))
      lines.push(`  ${offset.toString(16).padStart(3)}  ${text.padEnd(18)} ${rule}`);
    // Between the counter's instructions, the landmarks.
    if (
      rule === 'call/bpf' ||
      rule === 'call/leave' ||
      rule === 'tail-call/jump' ||
      rule === 'epilogue/return'
    ) {
      if (!text.startsWith('auipc')) lines.push(`  ${offset.toString(16).padStart(3)}  … ${rule}`);
    }
  }
  return lines;
}

function listing(kernel: string, tcc: TccSchemeName): string {
  const { functions } = compileProgram(
    parseProfile({ kernel, tcc }),
    {
      name: 'example',
      insns: EXAMPLE,
      subprogs: [
        { name: 'main', start: 0, stackDepth: 16, tailCallReachable: true },
        { name: 'sub', start: 8, stackDepth: 8, tailCallReachable: true },
      ],
      verifierZext: true,
      callBase: 0xffffffff80200000n,
      addresses: { perCpuOffset: 0n },
    },
    { place: (index) => 0xffffffff78000000n + BigInt(index) * 0x100n },
  );
  const frames = functions.map(
    (fn) => `${fn.name}: frame of ${fn.stackSize} bytes\n${counterCode(fn).join('\n')}`,
  );
  return `== ${tcc} (kernel ${kernel})\n${frames.join('\n')}\n`;
}

it.each(SCHEME_NAMES)('scheme %s adds to the worked example what its golden text says', (tcc) => {
  // For kernel 6.12, the default, if it has the scheme.
  const kernels = KERNELS.filter((kernel) => SCHEMES[kernel].includes(tcc));
  const text = listing(kernels.includes('6.12') ? '6.12' : kernels.at(-1)!, tcc);
  if (process.env['HARTBEAT_UPDATE']) writeFileSync(goldenOf(tcc), text);
  expect(text).toBe(readFileSync(goldenOf(tcc), 'utf8'));
  for (const rule of text.match(/tcc\/\S+/g) ?? []) expect(rule in RULES).toBe(true);
});

it('an extension under transparent keeps the budget of the program it replaces, and its tail call entry in place', () => {
  const profile = parseProfile({ tcc: 'transparent' });
  const compile = (isExtension: boolean): JitFunction =>
    compileProgram(
      profile,
      {
        name: 'main',
        insns: [insn(0xb7), insn(0x95)],
        subprogs: [{ name: 'main', start: 0, stackDepth: 0, tailCallReachable: false }],
        verifierZext: true,
        callBase: 0xffffffff80180000n,
        addresses: { perCpuOffset: 0n },
        isExtension,
      },
      { place: () => 0xffffffff78000000n },
    ).functions[0]!;
  const [main, extension] = [compile(false), compile(true)];
  const third = ({ image }: JitFunction) => [...disassemble(image, 0n)][2]!.text;
  expect([third(main), third(extension)]).toEqual(['li a6, 33', 'nop']);
  expect(why(extension, 8)?.rule).toBe('tcc/keep-place');
  expect(extension.tailCallEntry - extension.bpfFunc).toBe(12n);
  expect(extension.image.subarray(12)).toEqual(main.image.subarray(12));
});
