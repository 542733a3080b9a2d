/** A page that is gone and has not asked for itself again by then was closed, not reloaded. Milliseconds. */
const GRACE_MS = 1500;
/** A page that has asked for itself has this long to connect: a busy machine takes its time to load one. Milliseconds. */
const LOADING_MS = 30_000;

/**
 * Tells a window that was closed from one that reloads. A browser closes the old page's socket only when it has the new
 * page, so that a reload is known by the page that was asked for and has not connected yet.
 */
export class Presence {
  private waiting: NodeJS.Timeout | undefined;
  private loading = false;
  private over = false;

  /**
   * @param deserted called each time that no window is left and none is on its way
   * @param graceMs how long a page may be gone without having asked for itself again
   */
  constructor(
    private readonly deserted: () => void,
    private readonly graceMs = GRACE_MS,
  ) {}

  /** A page has been asked for. */
  asked(): void {
    this.loading = true;
    // Its predecessor may be gone already.
    if (this.waiting !== undefined) this.wait();
  }

  /** A page has connected. */
  came(): void {
    this.loading = false;
    clearTimeout(this.waiting);
    this.waiting = undefined;
  }

  /** The last page has disconnected. */
  left(): void {
    if (!this.over) this.wait();
  }

  /** Nobody is waited for any more. */
  end(): void {
    this.over = true;
    clearTimeout(this.waiting);
  }

  private wait(): void {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(
      () => {
        this.waiting = undefined;
        this.loading = false;
        this.deserted();
      },
      this.loading ? LOADING_MS : this.graceMs,
    );
  }
}
