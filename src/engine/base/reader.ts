import { EngineError, type ErrorCode } from './errors';

/**
 * A little-endian view of untrusted bytes. Every access is checked; one that leaves the bytes throws an
 * EngineError with the given code that names what was being read and where.
 */
export class ByteReader {
  private readonly view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    private readonly code: ErrorCode,
    /** What these bytes are, for messages: "section .BTF", "the file". */
    readonly what: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.bytes.length;
  }

  /** @throws EngineError unless `offset` and `size` (bytes) describe a range inside the bytes. */
  check(offset: number, size: number, field: string): void {
    if (
      !Number.isSafeInteger(offset) ||
      !Number.isSafeInteger(size) ||
      offset < 0 ||
      size < 0 ||
      offset + size > this.bytes.length
    ) {
      throw new EngineError(
        this.code,
        `${field} at offset ${offset} (${size} bytes) lies outside ${this.what}, which has ${this.bytes.length} bytes; the file is truncated or damaged.`,
        { offset, size, length: this.bytes.length, field },
      );
    }
  }

  u8(offset: number, field: string): number {
    this.check(offset, 1, field);
    return this.view.getUint8(offset);
  }
  u16(offset: number, field: string): number {
    this.check(offset, 2, field);
    return this.view.getUint16(offset, true);
  }
  u32(offset: number, field: string): number {
    this.check(offset, 4, field);
    return this.view.getUint32(offset, true);
  }
  s32(offset: number, field: string): number {
    this.check(offset, 4, field);
    return this.view.getInt32(offset, true);
  }
  u64(offset: number, field: string): bigint {
    this.check(offset, 8, field);
    return this.view.getBigUint64(offset, true);
  }

  /** A view (no copy) of `size` bytes from `offset`. */
  slice(offset: number, size: number, field: string): Uint8Array {
    this.check(offset, size, field);
    return this.bytes.subarray(offset, offset + size);
  }

  /** A NUL-terminated string that begins at `offset`. @throws EngineError if no NUL follows. */
  string(offset: number, field: string): string {
    this.check(offset, 1, field);
    const end = this.bytes.indexOf(0, offset);
    if (end < 0) {
      throw new EngineError(
        this.code,
        `${field} at offset ${offset} of ${this.what} has no terminating NUL.`,
        { offset, field },
      );
    }
    return new TextDecoder().decode(this.bytes.subarray(offset, end));
  }
}
