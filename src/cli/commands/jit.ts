import { EngineError } from '../../engine/base/errors';
import { bytesToHex, hex64 } from '../../engine/base/hex';
import { buildWorld } from '../../engine/debugger/build';
import { CodeIndex, type CodeFunction } from '../../engine/debugger/code-index';
import { compareView, compile, type Compiled } from '../../engine/debugger/compare';
import type { CompiledFunction } from '../../engine/debugger/compare-native';
import { listing, type Listing } from '../../engine/debugger/listing';
import type { Kernel } from '../../engine/kernel/types';
import type { CompareView } from '../../engine/debugger/views';
import { explainRule } from '../../engine/jit/rules';
import type { FrameSlot } from '../../engine/jit/types';
import type { BpfObject, BpfProgram } from '../../engine/loader/object';
import { type Profile, profileWords } from '../../engine/jit/profile';
import { compareText, profileWords as profileText } from '../../shared/compare-text';
import { usage, type Command } from '../command';
import { toJson } from '../json';
import { openObject } from '../open';
import { passesText, passesView } from '../jit-passes';
import { otherProfiles, PROFILE_OPTIONS, profileFrom, WITH_OPTION } from '../profile-options';
import { programNamed } from '../run-options';
import { counted, table } from '../table';

/** `hartbeat jit OBJ [PROG]` */
export const jitCommand: Command = {
  name: 'jit',
  summary: 'source, BPF and native code side by side, with frame layout and sizes',
  positionals: [
    { name: 'OBJ', required: true },
    { name: 'PROG', required: false },
  ],
  options: [
    {
      name: 'raw',
      value: 'FILE',
      help: 'write the image of the program (its functions one after the other) to FILE',
    },
    { name: 'why', help: 'the rule that made each native instruction, and what the rules mean' },
    {
      name: 'passes',
      help: 'the size of every BPF instruction in every pass of the JIT, until it converges',
    },
    { ...WITH_OPTION, help: `${WITH_OPTION.help}; both sides are shown instruction by instruction` },
    ...PROFILE_OPTIONS,
    { name: 'json', help: 'one JSON value on standard output' },
  ],
  notes:
    'With --with, --json has a further key `comparisons`: one value for each function and profile compared with. ' +
    '--json always has `pieces` with the rule that made each stretch of code, and `rules` with their meaning.',
  async run(args, io) {
    const profile = profileFrom(args);
    const others = otherProfiles(args);
    const object = await openObject(args.positionals[0]!, io);
    const name = args.positionals[1];
    const wanted = name === undefined ? object.programs : [programNamed(object, name)];
    if (wanted.length === 0) throw usage(`${object.name} holds no program`);
    const programs: BpfProgram[] = [];
    const compiled: CompiledFunction[] = [];
    const leftOut: string[] = [];
    for (const program of wanted) {
      if (program.unsupported !== undefined && wanted.length > 1) {
        leftOut.push(`${program.name} is left out: ${program.unsupported}`);
        continue;
      }
      try {
        compiled.push(...compileProgram(object, program.name, profile));
        programs.push(program);
      } catch (error) {
        // One program of several that cannot be compiled does not keep the others from being shown.
        if (!(error instanceof EngineError) || wanted.length === 1) throw error;
        leftOut.push(`${program.name} is left out: ${error.message}`);
      }
    }
    // Bad input is told in one line: of several reasons the first.
    if (programs.length === 0) {
      throw usage(`no program of ${object.name} can be compiled; ${leftOut[0]}`);
    }
    for (const line of leftOut) await io.err(`${line}\n`);
    const raw = args.text('raw');
    if (raw !== undefined) {
      if (name === undefined && programs.length > 1) {
        throw usage(`--raw writes one program; name one of ${programs.map((p) => p.name).join(', ')}`);
      }
      await io.write(raw, concatenated(compiled.map(({ code }) => code.fn.image)));
    }
    const comparisons = programs.flatMap(({ name: program }) => {
      const code = compiled.find((fn) => fn.code.program.name === program);
      const left: Compiled = { profile: profileWords(profile), code };
      return others.flatMap((other) => compared(object, program, left, other));
    });
    if (args.has('json')) {
      const functions = compiled.map(({ code }) => describe(code, args.has('passes')));
      const rules = rulesOf(compiled);
      await io.out(`${toJson({ functions, rules, ...(others.length > 0 && { comparisons }) })}\n`);
      return 0;
    }
    if (others.length > 0) {
      for (const comparison of comparisons) await io.out(`${compareText(comparison)}\n`);
      return 0;
    }
    const parts = { why: args.has('why'), passes: args.has('passes') };
    for (const { kernel, code } of compiled) await io.out(text(kernel, code, parts));
    if (parts.why) await io.out(`Rules:\n${table(Object.entries(rulesOf(compiled)), '  ')}`);
    return 0;
  },
};

function compileProgram(object: BpfObject, program: string, profile: Profile): CompiledFunction[] {
  const { kernel } = buildWorld({ object, profile, program });
  const index = new CodeIndex(kernel);
  const functions = index.functions.filter((code) => code.program.name === program);
  return functions.map((code) => ({ kernel, index, code }));
}

/**
 * Every function of a program under two profiles.
 * @throws EngineError `usage/arguments` when the other profile refuses the program
 */
function compared(object: BpfObject, program: string, left: Compiled, other: Profile): CompareView[] {
  const words = profileWords(other);
  const right = compile(object, program, words);
  if (right.problem !== undefined) throw usage(`--with ${profileText(words)}: ${right.problem}`);
  const { functions } = compareView({ object, program, left, right });
  return functions.map((key) => compareView({ object, program, function: key, left, right }));
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The rules that made the code of these functions, in the order in which they occur, with what each means. */
function rulesOf(compiled: readonly CompiledFunction[]): Readonly<Record<string, string>> {
  const names = new Set(compiled.flatMap(({ code }) => code.fn.pieces.map((piece) => piece.rule)));
  return Object.fromEntries([...names].map((name) => [name, explainRule(name)]));
}

function describe(code: CodeFunction, passes: boolean) {
  const { fn, program } = code;
  return {
    name: fn.name,
    program: program.name,
    kind: code.kind,
    address: hex64(fn.bpfFunc),
    image: bytesToHex(fn.image),
    offsets: [...fn.ends],
    prologueLen: fn.prologueLen,
    epilogueOffset: fn.epilogueOffset,
    finalLen: fn.finalLen,
    jitedLen: fn.jitedLen,
    frame: {
      size: fn.frame.size,
      bpfStackSize: fn.frame.bpfStackSize,
      slots: fn.frame.slots.map((slot) => ({ ...slot })),
    },
    extable: fn.extable.map((entry) => ({ ...entry })),
    pieces: fn.pieces.map((piece) => ({ ...piece })),
    ...(passes && { passes: passesView(fn.passes) }),
  };
}

/** What the text shows beside the code itself. */
interface Parts {
  readonly why: boolean;
  readonly passes: boolean;
}

function text(kernel: Kernel, code: CodeFunction, { why, passes }: Parts): string {
  const { fn } = code;
  const title = `${code.key} at ${hex64(fn.bpfFunc)}: ${counted(fn.end - fn.start, 'BPF slot')}, ${fn.finalLen} bytes native`;
  const sizes = `prologue ${fn.prologueLen}, body ${fn.epilogueOffset - fn.prologueLen}, epilogue ${fn.finalLen - fn.epilogueOffset} bytes`;
  const rows = listing(kernel, code, {});
  return [
    `${title}\n  ${sizes}\n`,
    frameText(code),
    columns(rows, why ? code : undefined),
    ...(passes ? [passesText(fn.passes, rows.bpf)] : []),
    '\n',
  ].join('\n');
}

function frameText({ fn }: CodeFunction): string {
  const rows = fn.frame.slots.map((slot) => [
    slotPlace(slot),
    slot.name,
    counted(slot.size, 'byte'),
    slot.why,
  ]);
  return `  Frame of ${counted(fn.frame.size, 'byte')}:\n${table(rows, '    ')}`;
}

const slotPlace = (slot: FrameSlot): string => `fp${slot.fpOffset} = sp+${slot.spOffset}`;

/**
 * Native instructions on the left, with the BPF instruction and the source line that each belongs to where they begin.
 * @param why the function whose rules are named behind the native instructions
 */
function columns({ source, bpf, native }: Listing, why?: CodeFunction): string {
  const rows: string[][] = [];
  let slot = -1;
  let line = -1;
  // A BPF instruction without native code of its own stands before the code that follows it.
  const withoutCode = (upTo: number) => {
    for (slot++; slot < upTo; slot++) rows.push(['', '', '', ...(why ? [''] : []), ...bpfCells(slot)]);
  };
  const bpfCells = (at: number): [string, string] => {
    const row = bpf[at];
    if (!row || row.continuation) return ['', ''];
    const from = row.source === line ? '' : sourceText(source[row.source]);
    line = row.source;
    return [`${row.slot}: ${row.text}`, from];
  };
  for (const row of native) {
    const rule = why && [why.map.pieceAt(row.offset)?.rule ?? ''];
    const place = [row.offset.toString(16).padStart(4), row.bytes, row.text, ...(rule ?? [])];
    if (row.part === 'epilogue' && slot < bpf.length) withoutCode(bpf.length);
    if (row.slot > slot) {
      withoutCode(row.slot);
      rows.push([...place, ...bpfCells(row.slot)]);
    } else {
      rows.push([...place, row.part === 'body' ? '' : `[${row.part}]`, '']);
    }
  }
  return table(rows, '  ');
}

function sourceText(row: Listing['source'][number] | undefined): string {
  if (!row) return '';
  return `; ${row.text.trim()} @ ${row.file.slice(row.file.lastIndexOf('/') + 1)}:${row.line}`;
}
