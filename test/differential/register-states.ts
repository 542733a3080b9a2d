import type { Random } from '../../src/engine/base/testing/random';

/**
 * What a program may rely on in a register. `dirty`: a 32-bit result whose upper half is undefined, because the verifier found
 * that nobody reads it and so did not ask for a zero extension.
 */
export type RegisterState = 'none' | 'dirty' | 'clean';

/** r6 holds the buffer's address in every function; r7 a pointer argument in those that have one. */
export const BUFFER_REGISTER = 6;
export const POINTER_REGISTER = 7;
export const FRAME_REGISTER = 10;

/** The states of r0 to r9 at a place of a function. */
export class RegisterStates {
  private constructor(
    private states: RegisterState[],
    /** Registers that keep what they hold: neither read as numbers nor written. */
    readonly pinned: ReadonlySet<number>,
  ) {}

  static atEntry(hasPointer: boolean): RegisterStates {
    const pinned = new Set(hasPointer ? [BUFFER_REGISTER, POINTER_REGISTER] : [BUFFER_REGISTER]);
    return new RegisterStates(new Array<RegisterState>(10).fill('none'), pinned);
  }

  copy(): RegisterStates {
    return new RegisterStates([...this.states], this.pinned);
  }

  get(register: number): RegisterState {
    return this.states[register] ?? 'none';
  }

  set(register: number, state: RegisterState): void {
    this.states[register] = state;
  }

  /** After a call: r0 as told, r1 to r5 gone. */
  clobber(r0: RegisterState): void {
    this.states.fill('none', 1, 6);
    this.states[0] = r0;
  }

  /** What holds where control comes from here or from `other`. */
  mergeWith(other: RegisterStates): void {
    this.states = this.states.map((state, i) => weaker(state, other.get(i)));
  }

  become(other: RegisterStates): void {
    this.states = [...other.states];
  }

  /** Registers that hold a number of at least this quality. */
  readable(least: 'dirty' | 'clean'): number[] {
    return this.states.flatMap((state, i) =>
      state === 'clean' || (state === 'dirty' && least === 'dirty') ? [i] : [],
    );
  }

  /** A register that may be written. */
  target(random: Random): number {
    for (;;) {
      const register = random.below(10);
      if (!this.pinned.has(register)) return register;
    }
  }
}

const ORDER: readonly RegisterState[] = ['none', 'dirty', 'clean'];
const weaker = (a: RegisterState, b: RegisterState): RegisterState =>
  ORDER[Math.min(ORDER.indexOf(a), ORDER.indexOf(b))]!;
