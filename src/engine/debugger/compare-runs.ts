import { bytesToHex } from '../base/hex';
import { EngineError } from '../base/errors';
import type { Kernel } from '../kernel/types';
import type { BpfObject } from '../loader/object';
import { parseProfile } from '../jit/profile';
import { buildWorld, type World } from './build';
import { Session } from './session';
import type { CompareRunsView, CompareRunView, InputsView, ProfileView, ResultView } from './views';

/** One run of a comparison. */
export interface ComparedRunRequest {
  readonly object: BpfObject;
  readonly program: string;
  readonly profile: ProfileView;
  readonly inputs: InputsView;
  /** Instructions after which the run is given up with the stop `limit`. */
  readonly limit: number;
}

/** One run of a comparison: a session of its own that runs without breakpoints until it ends or is given up. */
export class ComparedRun {
  private readonly world: World | undefined;
  private readonly session: Session | undefined;
  private readonly problem: string | undefined;

  /** What the profile refuses (see buildWorld()) is kept as the run's problem. */
  constructor(private readonly request: ComparedRunRequest) {
    const { object, program, inputs, limit } = request;
    try {
      this.world = buildWorld({ object, profile: parseProfile(request.profile), program });
      this.session = new Session({ id: 'compared', world: this.world, inputs, limit });
      this.session.continue();
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      this.problem = error.message;
    }
  }

  /** Runs on for about `budget` instructions. @returns true while it has not ended */
  runSlice(budget: number): boolean {
    return this.session?.runSlice(budget) ?? false;
  }

  view(): CompareRunView {
    const { profile } = this.request;
    const { session } = this;
    if (!session || this.problem !== undefined) return { profile, problem: this.problem };
    const { reason, location, result } = session.view();
    return {
      profile,
      ...(reason && { stop: reason }),
      ...(location && { location }),
      ...(result && { result }),
      counters: session.counters(),
      stackBytes: session.execution.stackBytes,
    };
  }

  /** Contents of the maps by name; undefined when the program could not be loaded. */
  maps(): ReadonlyMap<string, string> | undefined {
    return this.session && this.world && mapContents(this.world.kernel);
  }
}

/** Contents are sets: the order in which a hash map gives its elements says nothing. */
function mapContents(kernel: Kernel): ReadonlyMap<string, string> {
  return new Map(
    kernel.maps.map((map) => {
      const entries = kernel.dumpMap(map).map(({ key, value }) => `${bytesToHex(key)}:${bytesToHex(value)}`);
      return [map.name, entries.sort().join()];
    }),
  );
}

/** Two runs beside each other, once they have ended. */
export function compareRunsView(
  { object, program, limit }: Omit<ComparedRunRequest, 'profile' | 'inputs'>,
  left: ComparedRun,
  right: ComparedRun,
): CompareRunsView {
  const views = { left: left.view(), right: right.view() };
  const differences = [
    ...resultDifferences(views.left.result, views.right.result),
    ...mapDifferences(left.maps(), right.maps()),
  ];
  return { object: object.name, program, limit, ...views, differences };
}

/** A run that did not return has no results to compare; that it did not is one difference. */
function resultDifferences(left: ResultView | undefined, right: ResultView | undefined): string[] {
  if (!left || !right) return left === right ? [] : ['return value'];
  const compared = [
    ['return value', left.retval, right.retval],
    ['data out', left.dataOut, right.dataOut],
    ['context out', left.ctxOut, right.ctxOut],
  ] as const;
  return compared.filter(([, a, b]) => a !== b).map(([what]) => what);
}

function mapDifferences(
  left: ReadonlyMap<string, string> | undefined,
  right: ReadonlyMap<string, string> | undefined,
): string[] {
  if (!left || !right) return [];
  return [...new Set([...left.keys(), ...right.keys()])]
    .filter((name) => left.get(name) !== right.get(name))
    .map((name) => `map ${name}`);
}
