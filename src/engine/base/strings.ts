import { EngineError, type ErrorCode } from './errors';

/** All names of one table together may be so long (bytes); strings may share bytes, so a small hostile table could ask for more. */
const BUDGET = 32 << 20;

/** A table of NUL-terminated strings found by offset, from untrusted bytes; each string is decoded once. */
export class StringTable {
  private readonly cache = new Map<number, string>();
  private readonly decoder = new TextDecoder();
  private decoded = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly code: ErrorCode,
    /** What the table is, for messages: "section .strtab". */
    readonly what: string,
  ) {}

  /**
   * The string that begins at `offset`.
   * @throws EngineError if the offset lies outside, no NUL follows, or all strings together pass 32 MiB.
   */
  at(offset: number, field: string): string {
    const known = this.cache.get(offset);
    if (known !== undefined) return known;
    if (offset === 0 && this.bytes.length === 0) return '';
    const end = offset < this.bytes.length ? this.bytes.indexOf(0, offset) : -1;
    if (end < 0) {
      throw new EngineError(
        this.code,
        `${field} points to offset ${offset} of ${this.what}, where no string is (it has ${this.bytes.length} bytes); the file is truncated or damaged.`,
        { offset, field, length: this.bytes.length },
      );
    }
    this.decoded += end - offset;
    if (this.decoded > BUDGET) {
      throw new EngineError(
        this.code,
        `The strings of ${this.what} overlap to more than ${BUDGET >> 20} MiB; the file is damaged.`,
        { offset },
      );
    }
    const text = this.decoder.decode(this.bytes.subarray(offset, end));
    this.cache.set(offset, text);
    return text;
  }
}
