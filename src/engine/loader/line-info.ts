import { EngineError } from '../base/errors';
import { INSN_BYTES } from '../bpf/bytes';
import type { CodeInfo } from './code-info';
import type { LineInfo } from './object';
import type { PlacedFunction } from './subprograms';

/** Entries of all programs of an object together; see the Linker's limit on slots. */
const MAX_LINES = 4 << 20;

/** Moves the line information of sections to where their functions stand in programs (adjust_prog_btf_ext_info). */
export class Lines {
  private count = 0;

  constructor(private readonly info: CodeInfo) {}

  /** Line information for the slots of a program, ascending. @throws EngineError `loader/size` */
  of(functions: readonly PlacedFunction[]): LineInfo[] {
    const lines: LineInfo[] = [];
    for (const { fn, start } of functions) {
      for (const { offset, file, line, column, text } of this.info.lines(fn.code.section.name, fn)) {
        lines.push({ insn: start + Math.floor(offset / INSN_BYTES) - fn.start, file, line, column, text });
      }
      this.limit(lines.length);
    }
    this.count += lines.length;
    return lines;
  }

  private limit(more: number): void {
    if (this.count + more <= MAX_LINES) return;
    throw new EngineError(
      'loader/size',
      `The line information of the programs has more than ${MAX_LINES} entries together; open an object with fewer programs.`,
    );
  }
}
