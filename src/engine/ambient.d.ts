/**
 * What the engine uses of its host beyond the language itself. The engine is compiled without lib.dom and without
 * Node's types, so that nothing else of a host can slip in; these few names exist in browsers, Node and workers alike.
 */
declare namespace WebAssembly {
  interface Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  const Memory: new (descriptor: { initial: number; maximum?: number; shared?: boolean }) => Memory;
  interface Module {
    readonly [Symbol.toStringTag]?: string;
  }
  const Module: new (bytes: Uint8Array) => Module;
  interface Instance {
    readonly exports: Record<string, unknown>;
  }
  const Instance: new (module: Module, imports?: Record<string, Record<string, unknown>>) => Instance;
}

declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean });
  decode(bytes?: Uint8Array): string;
}
declare class TextEncoder {
  encode(text: string): Uint8Array;
}
declare const performance: { now(): number };

/** AssemblyScript sources imported with `?asc` give the bytes of the compiled module (vite-plugin-asc.ts). */
declare module '*?asc' {
  const bytes: Uint8Array;
  export default bytes;
}
