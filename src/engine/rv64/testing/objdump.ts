/** Independent disassemblers, for tests only: they run programs of the system. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineError } from '../../base/errors';
import { MAX_PIECES, wrapInElf, type PlacedCode } from './elf';

/** One line of a disassembler's output. */
export interface OracleLine {
  readonly address: bigint;
  /** The bits as hexadecimal digits, most significant first. */
  readonly word: string;
  /** `<unknown>` when LLVM knows no such instruction. */
  readonly mnemonic: string;
  /** As printed, with white space made single and without the `<symbol+offset>` behind addresses. */
  readonly operands: string;
}

/** Extensions of the table but C, as LLVM 19 names them. */
export const LLVM_FEATURES = '+m,+a,+zicsr,+zifencei,+zba,+zbb,+zbs,+experimental-zacas,+zicond';

/** The first of these programs that is installed. */
export function firstTool(candidates: readonly string[]): string | undefined {
  return candidates.find((name) => spawnSync(name, ['--version']).status === 0);
}

/** The name of LLVM's disassembler here, undefined when it is not installed. */
export function findLlvmObjdump(): string | undefined {
  return firstTool(['llvm-objdump-19', 'llvm-objdump']);
}

/** The name of GNU's disassembler for RISC-V here, undefined when it is not installed. */
export function findGnuObjdump(): string | undefined {
  return firstTool(['riscv64-linux-gnu-objdump', 'riscv64-unknown-elf-objdump']);
}

/** Runs `use` with the path of a new directory, which is gone afterwards. */
export function withScratch<Result>(use: (directory: string) => Result): Result {
  const directory = mkdtempSync(join(tmpdir(), 'hartbeat-rv64-'));
  try {
    return use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Standard output of a program. @throws EngineError `rv64/tool` when it fails. */
export function runTool(tool: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(tool, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) {
    throw new EngineError('rv64/tool', `${tool} failed: ${error?.message ?? stderr.trim()}.`, { tool });
  }
  return stdout;
}

/** `  1c: 00050513     \tmv\ta0, a0` */
const LINE = /^\s*([0-9a-f]+):\s+([0-9a-f]+)\s+(\S+)\s*(.*)$/;

function parseLines(output: string): OracleLine[] {
  return output.split('\n').flatMap((line) => {
    const match = LINE.exec(line);
    if (!match) return [];
    const [, address = '', word = '', mnemonic = '', rest = ''] = match;
    return [{ address: BigInt('0x' + address), word, mnemonic, operands: tidied(rest) }];
  });
}

function tidied(operands: string): string {
  if (!/[#<\t]| {2}/.test(operands)) return operands.trim();
  return operands
    .replace(/\s*#.*$/, '')
    .replace(/\s*<[^>]*>/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

function missing(tool: string): never {
  throw new EngineError('rv64/tool', `${tool} is not installed; install it, or skip what needs it.`, {
    tool,
  });
}

/** Bytes of code for one run of a disassembler: what it prints about them fits into a text. */
const BYTES_AT_ONCE = 2 ** 20;

/**
 * Disassembles each piece of code by itself, with LLVM, in as few runs as will do. Immediates are decimal, branch targets
 * absolute. `aliases: false` shows no pseudo-instructions and the compressed forms.
 * @returns the lines of each piece, in the order of the pieces
 * @throws EngineError `rv64/tool` when the program is missing ({@link findLlvmObjdump} tells) or fails.
 */
export function* disassembleWithLlvm(
  pieces: readonly PlacedCode[],
  { aliases = true }: { readonly aliases?: boolean } = {},
): Generator<readonly OracleLine[], void> {
  const tool = findLlvmObjdump() ?? missing('llvm-objdump');
  for (const batch of batches(pieces)) {
    const output = withScratch((directory) => {
      const file = join(directory, 'code.elf');
      writeFileSync(file, wrapInElf(batch));
      const style = aliases ? [] : ['-M', 'no-aliases'];
      // --disassemble-zeroes: runs of zeroes are not left out.
      return runTool(tool, ['-d', '-z', '--no-print-imm-hex', `--mattr=+c,${LLVM_FEATURES}`, ...style, file]);
    });
    // The first part is what stands before the first section.
    const [, ...sections] = output.split(/^Disassembly of section .*$/m);
    if (sections.length !== batch.length) {
      throw new EngineError(
        'rv64/tool',
        `${tool} shows ${sections.length} pieces of code where there are ${batch.length}.`,
        { tool },
      );
    }
    for (const section of sections) yield parseLines(section);
  }
}

function* batches(pieces: readonly PlacedCode[]): Generator<readonly PlacedCode[], void> {
  let batch: PlacedCode[] = [];
  let size = 0;
  for (const piece of pieces) {
    if (batch.length > 0 && (size + piece.bytes.length > BYTES_AT_ONCE || batch.length === MAX_PIECES)) {
      yield batch;
      batch = [];
      size = 0;
    }
    batch.push(piece);
    size += piece.bytes.length;
  }
  if (batch.length > 0) yield batch;
}

/** As {@link disassembleWithLlvm}, with GNU's objdump, which may be older than some of our extensions. */
export function disassembleWithGnu(bytes: Uint8Array, base: bigint): readonly OracleLine[] {
  const tool = findGnuObjdump() ?? missing('riscv64-linux-gnu-objdump');
  return withScratch((directory) => {
    const file = join(directory, 'code.bin');
    writeFileSync(file, bytes);
    const where = `--adjust-vma=0x${base.toString(16)}`;
    return parseLines(runTool(tool, ['-D', '-z', '-b', 'binary', '-m', 'riscv:rv64', where, file]));
  });
}
