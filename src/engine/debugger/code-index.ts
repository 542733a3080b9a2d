import { EngineError } from '../base/errors';
import type { JitFunction, UnwindRow } from '../jit/types';
import type { Kernel, KernelProgram } from '../kernel/types';
import { unwindRowAt } from '../jit/unwind';
import { CodeMap } from './code-map';
import { findTailCallSites, type TailCallSite } from './tail-calls';
import type { FunctionView } from './views';
import { hex64 } from '../base/hex';

/** One JITed function that a session knows, with all that is derived from it on demand. */
export class CodeFunction {
  /** End of the executable bytes, exclusive. */
  readonly end: bigint;
  private codeMap: CodeMap | undefined;
  private tailCallSites: readonly TailCallSite[] | undefined;

  constructor(
    /** `program/function`, unique in the session. */
    readonly key: string,
    readonly program: KernelProgram,
    readonly fn: JitFunction,
  ) {
    this.end = fn.base + BigInt(fn.image.length);
  }

  get map(): CodeMap {
    return (this.codeMap ??= new CodeMap(this.program, this.fn));
  }

  get tailCalls(): readonly TailCallSite[] {
    return (this.tailCallSites ??= findTailCallSites(this.program, this.map));
  }

  get makesTailCalls(): boolean {
    return this.tailCalls.length > 0;
  }

  get kind(): FunctionView['kind'] {
    return this.program.xlated.functions[this.fn.index]?.kind ?? (this.fn.index === 0 ? 'main' : 'subprog');
  }

  /** Bytes from the image's first byte. */
  offsetOf(address: bigint): number {
    return Number(address - this.fn.base);
  }

  /** The unwind row that holds before the instruction at `offset` executes. */
  unwindRow(offset: number): UnwindRow | undefined {
    return unwindRowAt(this.fn.unwind, offset);
  }

  view(): FunctionView {
    return {
      key: this.key,
      program: this.program.name,
      name: this.fn.name,
      kind: this.kind,
      address: hex64(this.fn.bpfFunc),
      size: this.fn.jitedLen,
    };
  }
}

/** All functions of the loaded programs, found by address or key. */
export class CodeIndex {
  readonly functions: readonly CodeFunction[];
  private readonly byAddress: readonly CodeFunction[];
  private readonly byKey: ReadonlyMap<string, CodeFunction>;

  constructor(kernel: Kernel) {
    this.functions = kernel.programs.flatMap((program) => functionsOf(program));
    this.byAddress = [...this.functions].sort((a, b) =>
      a.fn.base < b.fn.base ? -1 : a.fn.base > b.fn.base ? 1 : 0,
    );
    this.byKey = new Map(this.functions.map((code) => [code.key, code]));
  }

  /** The function whose image holds `address`. */
  at(address: bigint): CodeFunction | undefined {
    let low = 0;
    let high = this.byAddress.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.byAddress[middle]!.fn.base <= address) low = middle + 1;
      else high = middle;
    }
    const code = this.byAddress[low - 1];
    return code && address < code.end ? code : undefined;
  }

  /** @throws EngineError `debugger/function` naming those that there are. */
  get(key: string): CodeFunction {
    const code = this.byKey.get(key);
    if (code) return code;
    const names = this.functions.map((f) => f.key).join(', ');
    throw new EngineError('debugger/function', `There is no function '${key}' here; there are ${names}.`, {
      key,
    });
  }
}

function functionsOf(program: KernelProgram): CodeFunction[] {
  const used = new Set<string>();
  return program.jit.functions.map((fn) => {
    // Two static functions of one name can meet in a linked object.
    const plain = `${program.name}/${fn.name}`;
    const key = used.has(plain) ? `${plain}#${fn.index}` : plain;
    used.add(key);
    return new CodeFunction(key, program, fn);
  });
}
