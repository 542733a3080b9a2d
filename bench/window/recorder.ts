import type { Page } from '@playwright/test';

/** What must be true in the page for a user to see that an action has had its effect. */
export interface Effect {
  /** Selectors, each within what the one before has found, shadow roots included. */
  readonly at: readonly string[];
  /** `there`, `gone`, `focused`, `scrolled` (from where it was), or a property that has or contains a text. */
  readonly is: 'there' | 'gone' | 'focused' | 'scrolled' | 'text' | 'value' | 'selected' | 'theme' | 'idle';
  readonly text?: string;
}

/** What the page has felt since the recorder was started anew. Milliseconds. */
export interface Felt {
  /** Longest time between two frames. */
  readonly longestFrame: number;
  readonly frames: number;
  /** Tasks of more than 50 ms. */
  readonly longTasks: readonly number[];
  /** Event Timing: the longest from an input event to the presentation of the next frame, by event, in steps of 8 ms. */
  readonly events: Readonly<Record<string, number>>;
}

/** An action that shows no effect by then has none. Milliseconds. */
const LIMIT = 30_000;

interface Recorder {
  /** Expects an input event, and resolves with the time from it to the end of the frame that shows the effect. */
  arm(event: string, effect: Effect): void;
  scrollTop(at: readonly string[]): number;
  result: Promise<number>;
  start(): void;
  read(): Felt;
}

declare global {
  interface Window {
    recorder: Recorder;
  }
}

/** Installs the recorder in the page. It is one function without any names from outside: it runs over there. */
export async function installRecorder(page: Page): Promise<void> {
  await page.evaluate(() => {
    let longestFrame = 0;
    let frames = 0;
    let last = 0;
    const longTasks: number[] = [];
    const events = new Map<string, number>();
    const frame = (): void => {
      const now = performance.now();
      if (last > 0) longestFrame = Math.max(longestFrame, now - last);
      last = now;
      frames++;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) longTasks.push(duration);
    }).observe({ type: 'longtask' });
    const options = { type: 'event', durationThreshold: 16 };
    new PerformanceObserver((list) => {
      for (const { name, duration } of list.getEntries())
        events.set(name, Math.max(events.get(name) ?? 0, duration));
    }).observe(options);

    const within = (root: ParentNode, selector: string): Element | undefined => {
      const direct = root.querySelector(selector);
      if (direct) return direct;
      const own = root instanceof Element ? root.shadowRoot : null;
      const hosts = [...root.querySelectorAll('*')].flatMap(({ shadowRoot }) => shadowRoot ?? []);
      for (const shadow of own ? [own, ...hosts] : hosts) {
        const found = within(shadow, selector);
        if (found) return found;
      }
      return undefined;
    };
    const find = (at: readonly string[]): Element | undefined =>
      at.reduce<Element | undefined>(
        (found, selector, i) => (i > 0 && !found ? undefined : within(found ?? document, selector)),
        undefined,
      );
    const holds = ({ at, is, text = '' }: Effect, scrolledFrom: number): boolean => {
      const element = find(at);
      if (is === 'gone') return element === undefined;
      if (element === undefined) return false;
      if (is === 'there') return true;
      if (is === 'focused') return element.contains(document.activeElement);
      if (is === 'scrolled') return element.scrollTop !== scrolledFrom;
      if (is === 'text') return (element.textContent ?? '').includes(text);
      if (is === 'value') return element instanceof HTMLInputElement && element.value === text;
      if (is === 'selected') return element.getAttribute('aria-selected') === 'true';
      if (is === 'idle') return element.getAttribute('aria-busy') !== 'true';
      return document.documentElement.dataset.theme === text;
    };
    window.recorder = {
      result: Promise.resolve(0),
      arm(event, effect) {
        const scrolledFrom = find(effect.at)?.scrollTop ?? 0;
        this.result = new Promise((resolve) => {
          const begin = ({ timeStamp }: Event): void => {
            const look = (): void => {
              if (!holds(effect, scrolledFrom)) {
                requestAnimationFrame(look);
                return;
              }
              // A message is served right after the frame that this callback belongs to.
              const { port1, port2 } = new MessageChannel();
              port1.onmessage = () => resolve(performance.now() - timeStamp);
              port2.postMessage(null);
            };
            requestAnimationFrame(look);
          };
          window.addEventListener(event, begin, { capture: true, once: true, passive: true });
        });
      },
      scrollTop: (at) => find(at)?.scrollTop ?? 0,
      start() {
        longestFrame = frames = last = 0;
        longTasks.length = 0;
        events.clear();
      },
      read: () => ({ longestFrame, frames, longTasks: [...longTasks], events: Object.fromEntries(events) }),
    };
  });
}

/** How far an element is scrolled. Pixels. */
export function scrollTop(page: Page, at: Effect['at']): Promise<number> {
  return page.evaluate((where) => window.recorder.scrollTop(where), at);
}

export async function startRecording(page: Page): Promise<void> {
  await page.evaluate(() => window.recorder.start());
}

export function readRecording(page: Page): Promise<Felt> {
  return page.evaluate(() => window.recorder.read());
}

/** Acts as a user does and gives the time from the input event to the end of the frame that shows the effect. */
export async function timed(
  page: Page,
  event: 'keydown' | 'mousedown' | 'wheel',
  effect: Effect,
  act: () => Promise<void>,
): Promise<number> {
  await page.evaluate(({ name, wanted }) => window.recorder.arm(name, wanted), {
    name: event,
    wanted: effect,
  });
  await act();
  const time = await page.evaluate(
    (limit) =>
      Promise.race([
        window.recorder.result,
        new Promise<null>((resolve) => setTimeout(resolve, limit, null)),
      ]),
    LIMIT,
  );
  if (time === null) throw new Error(`no effect within ${LIMIT} ms: ${effect.at.join(' ')} ${effect.is}`);
  return time;
}
