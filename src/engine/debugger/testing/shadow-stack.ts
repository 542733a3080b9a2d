import { REG } from '../../rv64/registers';
import { isCall } from '../calls';
import type { CodeFunction } from '../code-index';
import type { Session } from '../session';

/** A frame as it was observed to be made. */
export interface ShadowFrame {
  /** Key of the function that runs in it now. */
  readonly function: string;
  readonly returnAddress: bigint;
  /** sp when the frame's first function was entered. */
  readonly cfa: bigint;
}

/**
 * A call stack kept from the control flow alone: what each executed call, return and tail call did. It knows nothing of
 * unwind rows, so it can check them.
 */
export class ShadowStack {
  /** Innermost last. */
  readonly frames: ShadowFrame[] = [];

  constructor(private readonly session: Session) {
    this.push(this.here()!);
  }

  private here(): CodeFunction | undefined {
    return this.session.index.at(this.session.execution.machine.pc);
  }

  private push(code: CodeFunction): void {
    const { machine } = this.session.execution;
    this.frames.push({
      function: code.key,
      returnAddress: machine.getRegister(REG.ra),
      cfa: machine.getRegister(REG.sp),
    });
  }

  /** Executes one native instruction or kernel function and follows where it leads. */
  tick(): void {
    const { execution } = this.session;
    const { machine } = execution;
    const before = machine.pc;
    const wasInKernel = execution.inKernel;
    const code = this.here();
    const native = code?.map.nativeAt(code.offsetOf(before));
    const jumps = code?.tailCalls.some((site) => site.jump === before) ?? false;
    this.session.tick();
    if (!this.session.canGoOn) return;
    const after = this.here();
    if (wasInKernel) {
      // The kernel returned to its caller, or called back into a function's entry.
      if (after && after.fn.bpfFunc === machine.pc) this.push(after);
      return;
    }
    if (jumps) {
      this.frames.push({ ...this.frames.pop()!, function: after!.key });
    } else if (isCall(native?.insn)) {
      if (after) this.push(after);
    } else if (native?.insn?.base.mnemonic === 'jalr' && native.insn.rs1 === REG.ra && native.insn.rd === 0) {
      this.frames.pop();
    }
  }
}
