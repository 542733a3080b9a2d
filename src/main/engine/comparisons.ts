import { EngineError } from '../../engine/base/errors';
import { compareRunsView, ComparedRun } from '../../engine/debugger/compare-runs';
import { compareView, compile, type Compiled } from '../../engine/debugger/compare';
import type { CompareRunsView, CompareView, ProfileView } from '../../engine/debugger/views';
import type { BpfObject } from '../../engine/loader/object';
import type { Params } from '../../shared/contract';

/** Compiled programs that are kept: both sides of the comparison shown, and of the one before. */
const KEPT = 4;
/** Instructions between two looks at other requests; a few milliseconds. */
const SLICE = 200_000;

/** Comparisons of profiles for a window. They stand beside the session: nothing of it is used or changed. */
export class Comparisons {
  /** Most recently used last. */
  private readonly kept = new Map<string, Compiled>();
  private runsNow: object | undefined;

  /** @throws EngineError `debugger/no-program`, `debugger/function` */
  view(id: string, object: BpfObject, program: string, params: Params<'session.compare'>): CompareView {
    const left = this.compiled(id, object, program, params.left);
    const right = this.compiled(id, object, program, params.right);
    return compareView({ object, program, function: params.function, left, right });
  }

  /** Choosing another function or another right side must not compile everything again. */
  private compiled(id: string, object: BpfObject, program: string, profile: ProfileView): Compiled {
    const key = JSON.stringify([id, program, profile.kernel, profile.tcc, profile.isa]);
    const made = this.kept.get(key) ?? compile(object, program, profile);
    this.kept.delete(key);
    this.kept.set(key, made);
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= KEPT) break;
      this.kept.delete(oldest);
    }
    return made;
  }

  /**
   * Runs the program under both profiles, in slices between which the thread serves other requests.
   * @throws EngineError `debugger/superseded` when another comparison of runs has begun meanwhile, or this one was given up
   */
  async runs(
    object: BpfObject,
    program: string,
    params: Params<'session.compareRuns'>,
  ): Promise<CompareRunsView> {
    const mine = (this.runsNow = {});
    const request = { object, program, limit: params.limit };
    const run = async (profile: ProfileView): Promise<ComparedRun> => {
      const compared = new ComparedRun({ ...request, profile, inputs: params.inputs });
      while (compared.runSlice(SLICE)) {
        await new Promise((resolve) => setImmediate(resolve));
        if (this.runsNow !== mine) {
          throw new EngineError(
            'debugger/superseded',
            this.runsNow
              ? 'A newer comparison of runs has taken its place.'
              : 'This comparison of runs was given up; begin it again.',
          );
        }
      }
      return compared;
    };
    const left = await run(params.left);
    return compareRunsView(request, left, await run(params.right));
  }

  /** Ends what is running. */
  giveUp(): void {
    this.runsNow = undefined;
  }

  /** Ends what is running and forgets what is kept. */
  clear(): void {
    this.giveUp();
    this.kept.clear();
  }
}
