import { EngineError } from '../base/errors';
import bytes from './core/index.ts?asc';
import { FRAME_COUNT, HEAP_LIMIT, HEAP_START, HEAP_TOP, PAGE_BYTES, PAGE_DIRTY } from './core/layout';

/** What core/index.ts exports. Addresses in WebAssembly memory come back signed. */
interface CoreExports {
  run(limit: number): number;
  runChecked(limit: number, until: bigint): number;
  settle(): void;
  allocate(bytes: number): number;
  freeFrame(frame: number): void;
  touch(address: bigint): number;
  flushTlb(): void;
  flushStoreTlb(): void;
  forgetRegion(): void;
  forgetCode(): void;
}

const WASM_PAGE = 65536;

let compiled: WebAssembly.Module | undefined;

/** One instance of the core, with typed views of its memory that stay right when the memory grows. */
export class Core {
  private readonly memory: WebAssembly.Memory;
  private readonly exports: CoreExports;
  private bytes!: Uint8Array;
  private view!: DataView;
  private longs!: BigUint64Array;
  private words!: Uint32Array;

  /** @param limit most bytes of memory that guest pages, tables and decoded instructions may take together. */
  constructor(limit: number) {
    compiled ??= new WebAssembly.Module(new Uint8Array(bytes));
    this.memory = new WebAssembly.Memory({ initial: HEAP_START / WASM_PAGE + 6 });
    const instance = new WebAssembly.Instance(compiled, { env: { memory: this.memory } });
    this.exports = instance.exports as Record<string, unknown> & CoreExports;
    this.refresh();
    this.setU32(HEAP_TOP, HEAP_START);
    this.setU32(HEAP_LIMIT, limit);
    this.exports.flushTlb();
  }

  private refresh(): void {
    const { buffer } = this.memory;
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.longs = new BigUint64Array(buffer);
    this.words = new Uint32Array(buffer);
  }

  /** Whether the memory has grown: the views of the old one have no bytes then. Asking the memory itself is dear. */
  private get outdated(): boolean {
    return this.bytes.length === 0;
  }

  /** All of memory. Do not hold it across a call of the core. */
  get u8(): Uint8Array {
    if (this.outdated) this.refresh();
    return this.bytes;
  }
  /** As u8, for unaligned little-endian access. */
  get data(): DataView {
    if (this.outdated) this.refresh();
    return this.view;
  }
  /** As u8, by word index. */
  get u32(): Uint32Array {
    if (this.outdated) this.refresh();
    return this.words;
  }

  getU32(at: number): number {
    return this.u32[at >>> 2]!;
  }
  setU32(at: number, value: number): void {
    this.u32[at >>> 2] = value;
  }
  getU64(at: number): bigint {
    if (this.outdated) this.refresh();
    return this.longs[at >>> 3]!;
  }
  setU64(at: number, value: bigint): void {
    if (this.outdated) this.refresh();
    this.longs[at >>> 3] = value;
  }

  /** Executes up to `limit` (at most 2^31 - 1) instructions; gives a STOP_… reason. */
  run(limit: number): number {
    return this.exports.run(limit);
  }
  /** As run, looking at every instruction; ends also when the cycle `until` is reached. */
  runChecked(limit: number, until: bigint): number {
    return this.exports.runChecked(limit, until);
  }
  /** Brings the load and store counters in memory up to date. */
  settle(): void {
    this.exports.settle();
  }

  /**
   * Zeroed memory at a multiple of 4096.
   * @throws EngineError `machine/memory-exhausted`
   */
  allocate(size: number): number {
    const at = this.exports.allocate(size) >>> 0;
    if (at === 0) throw this.exhausted();
    return at;
  }

  /**
   * The frame behind the page of a mapped address, made if need be and marked as written.
   * @throws EngineError `machine/memory-exhausted`
   */
  touch(address: bigint): number {
    const frame = this.exports.touch(address) >>> 0;
    if (frame === 0) throw this.exhausted();
    return frame;
  }

  exhausted(): EngineError {
    const limit = this.getU32(HEAP_LIMIT);
    return new EngineError(
      'machine/memory-exhausted',
      `The machine's memory is used up: mapped pages that were written take more than ${limit >>> 20} MiB; write to fewer pages or give the machine a higher memoryLimit.`,
      { limit },
    );
  }

  /**
   * Puts another frame, or none (0), into a page table. The frame that was there is freed if it was the page's own: without
   * the mark of a written page, snapshots hold it.
   * @param at address of the page's entry
   */
  setFrame(at: number, frame: number): void {
    const entry = this.getU32(at);
    if ((entry & PAGE_DIRTY) !== 0) this.freeFrame((entry & -PAGE_BYTES) >>> 0);
    const more = Number(frame !== 0) - Number(entry !== 0);
    if (more !== 0) this.setU32(FRAME_COUNT, this.getU32(FRAME_COUNT) + more);
    this.setU32(at, frame);
  }

  freeFrame(frame: number): void {
    this.exports.freeFrame(frame);
  }
  flushTlb(): void {
    this.exports.flushTlb();
  }
  flushStoreTlb(): void {
    this.exports.flushStoreTlb();
  }
  /** For when the table of regions changes. */
  forgetRegion(): void {
    this.exports.forgetRegion();
    this.exports.forgetCode();
  }
  /** For when decoded instructions change. */
  forgetCode(): void {
    this.exports.forgetCode();
  }
}
