import type { EventName, Outcome } from '../../shared/contract';

/** Messages between the main process and the worker thread that hosts the engine. */
export type ToWorker =
  | { readonly id: number; readonly kind: 'call'; readonly method: string; readonly params: unknown }
  | {
      readonly id: number;
      readonly kind: 'open';
      readonly name: string;
      readonly bytes: Uint8Array;
      /** Source files that lie beside the object: base name → text. */
      readonly sources: Readonly<Record<string, string>>;
    }
  | { readonly id: number; readonly kind: 'rest' };

export type FromWorker =
  | { readonly kind: 'reply'; readonly id: number; readonly outcome: Outcome<unknown> }
  | { readonly kind: 'event'; readonly event: EventName; readonly payload: unknown };
