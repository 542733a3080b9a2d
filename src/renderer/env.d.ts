/// <reference types="vite/client" />
import type { Transport } from '../shared/api';

declare global {
  interface Window {
    /** What the preload exposes in Electron; absent in a browser. */
    readonly hartbeat?: Transport;
  }
}
