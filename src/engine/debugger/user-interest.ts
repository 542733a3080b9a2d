import type { Arrival } from './arrivals';
import type { Breakpoints } from './breakpoints';
import type { Interest } from './execution';

const NOWHERE: ReadonlySet<bigint> = new Set();

/** What a run halts for: the user's breakpoints, and where its goal leads. */
export class UserInterest {
  private now:
    | { readonly goal: ReadonlySet<bigint>; readonly user: ReadonlySet<bigint>; readonly interest: Interest }
    | undefined;

  constructor(private readonly breakpoints: Breakpoints) {}

  /** The user's breakpoints alone. */
  alone(): Interest {
    return this.with(NOWHERE);
  }

  /** Breakpoints and the addresses of a goal, as one set that stays the same while both do: machines arm by it. */
  with(goal: ReadonlySet<bigint>): Interest {
    const { addresses: user, watches } = this.breakpoints;
    if (this.now?.goal !== goal || this.now.user !== user) {
      const wants = (arrival: Arrival): boolean => this.breakpoints.wants(arrival);
      this.now = { goal, user, interest: { addresses: new Set([...goal, ...user]), watches, wants } };
    }
    return this.now.interest;
  }
}
