/** An independent assembler, for tests only: it runs programs of the system. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../base/errors';
import { firstTool, LLVM_FEATURES, runTool, withScratch } from './objdump';

/** Whether LLVM's assembler and its objcopy are installed here. */
export function hasLlvmAssembler(): boolean {
  return assembler() !== undefined && objcopy() !== undefined;
}

const assembler = (): string | undefined => firstTool(['llvm-mc-19', 'llvm-mc']);
const objcopy = (): string | undefined => firstTool(['llvm-objcopy-19', 'llvm-objcopy']);

/**
 * The bytes of the section .text that LLVM makes of a source without undefined symbols.
 * @throws EngineError `rv64/tool` when a program is missing or refuses.
 */
export function assembleWithLlvm(source: string, { compress }: { readonly compress: boolean }): Uint8Array {
  const [mc, copy] = [assembler(), objcopy()];
  if (mc === undefined || copy === undefined) {
    throw new EngineError(
      'rv64/tool',
      'llvm-mc or llvm-objcopy is not installed; install it, or skip what needs it.',
    );
  }
  return withScratch((directory) => {
    const [text, object, bytes] = ['code.s', 'code.o', 'code.bin'].map((name) => join(directory, name));
    writeFileSync(text!, source);
    const features = `${compress ? '+c' : '-c'},-relax,${LLVM_FEATURES}`;
    runTool(mc, ['--triple=riscv64', `--mattr=${features}`, '-filetype=obj', '-o', object!, text!]);
    runTool(copy, ['-O', 'binary', '-j', '.text', object!, bytes!]);
    return new Uint8Array(readFileSync(bytes!));
  });
}
