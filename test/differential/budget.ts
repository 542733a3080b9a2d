import type { TccScheme } from '../../src/engine/jit/tcc/scheme';

/** Tail calls that an entry may take. */
const BUDGET = 33;

/** When a scheme lets a tail call happen: the reference's statement of spec 5.2, apart from any code. */
export interface TailCallBudget {
  /** A BPF function was called, or returned. */
  called(): void;
  returned(): void;
  /**
   * A tail call within the bounds of its array.
   * @param filled there is a program in the slot
   * @param callsOut the function contains calls that are really made
   * @returns whether it is taken
   */
  attempt(filled: boolean, callsOut: boolean): boolean;
}

/** The budget that a scheme says it gives, stated for the reference. */
export const budgetOf = ({ budget }: Pick<TccScheme, 'budget'>): TailCallBudget => new BUDGETS[budget]();

/** One budget per entry; only tail calls that are taken count. */
class SharedBudget implements TailCallBudget {
  private left = BUDGET;
  called(): void {}
  returned(): void {}
  attempt(filled: boolean): boolean {
    if (this.left <= 0 || !filled) return false;
    this.left--;
    return true;
  }
}

/** Each frame has its own: a callee starts with its caller's, and what it uses up is not missed by the caller. */
class FrameBudgets implements TailCallBudget {
  private readonly frames = [BUDGET];
  called(): void {
    this.frames.push(this.frames.at(-1)!);
  }
  returned(): void {
    this.frames.pop();
  }
  attempt(filled: boolean): boolean {
    const left = this.frames.at(-1)! - 1;
    if (left < 0) return false;
    this.frames[this.frames.length - 1] = left;
    return filled;
  }
}

/** One budget in programs without subprograms; attempts at empty slots count in functions without calls. */
class FunctionBudget implements TailCallBudget {
  private left = BUDGET;
  called(): void {}
  returned(): void {}
  attempt(filled: boolean, callsOut: boolean): boolean {
    const left = this.left - 1;
    const taken = left >= 0 && filled;
    if (taken || !callsOut) this.left = left;
    return taken;
  }
}

const BUDGETS = { entry: SharedBudget, frame: FrameBudgets, function: FunctionBudget };
