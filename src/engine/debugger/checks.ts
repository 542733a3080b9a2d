import { hex64 } from '../base/hex';
import type { Machine } from '../machine/types';
import { ABI_NAMES, REG } from '../rv64/registers';
import { CALLEE_SAVED } from './abi';

/** One of the checks that a run makes by itself. */
export interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  /** What was found, one sentence. */
  readonly text: string;
}

/** What a C caller relies on (psABI), noted when a program is entered and compared when it has returned. */
export class ReturnCheck {
  private registers: BigUint64Array = new BigUint64Array(32);

  enter(machine: Machine): void {
    this.registers = machine.registers();
  }

  /** The machine stands where the program returned to. */
  leave(machine: Machine): CheckResult[] {
    return [
      this.compare(machine, 'callee-saved-registers', CALLEE_SAVED, 'registers that the caller relies on'),
      this.compare(machine, 'stack-pointer', [REG.sp], 'stack pointer'),
    ];
  }

  private compare(machine: Machine, name: string, registers: readonly number[], what: string): CheckResult {
    const wrong = registers.filter((r) => machine.getRegister(r) !== this.registers[r]);
    if (wrong.length === 0) return { name, ok: true, text: `The ${what} came back unchanged.` };
    const list = wrong
      .map((r) => `${ABI_NAMES[r]} is ${hex64(machine.getRegister(r))} and was ${hex64(this.registers[r]!)}`)
      .join(', ');
    return { name, ok: false, text: `The program did not restore what its caller relies on: ${list}.` };
  }
}
