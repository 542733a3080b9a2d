import { EngineError } from '../../engine/base/errors';
import { hexToBytes } from '../../engine/base/hex';

/**
 * A JSON object of a vector file, read with checked types: what is missing or of another type is reported with the path
 * to it, never used.
 */
export class Fields {
  constructor(
    private readonly value: Readonly<Record<string, unknown>>,
    /** Where this object stands, for messages. */
    readonly where: string,
  ) {}

  /** @throws EngineError `usage/vectors` unless `value` is an object */
  static of(value: unknown, where: string): Fields {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new EngineError('usage/vectors', `${where} is not a JSON object.`, { where });
    }
    return new Fields(value as Record<string, unknown>, where);
  }

  has(key: string): boolean {
    return this.value[key] !== undefined && this.value[key] !== null;
  }

  /** As it stands in the file. */
  raw(key: string): unknown {
    return this.value[key];
  }

  keys(): string[] {
    return Object.keys(this.value);
  }

  text(key: string): string {
    const value = this.value[key];
    return typeof value === 'string' ? value : this.wrong(key, 'a text');
  }

  /** Sizes, offsets and results: whole numbers all of them. */
  number(key: string): number {
    const value = this.value[key];
    return typeof value === 'number' && Number.isInteger(value) ? value : this.wrong(key, 'a whole number');
  }

  /** A whole number of 32 bits, as sizes and counts are. */
  count(key: string): number {
    const value = this.number(key);
    return Number.isInteger(value) && value >= 0 && value <= 0xffffffff
      ? value
      : this.wrong(key, 'a whole number of 32 bits');
  }

  /** true/false, or 1/0 as the records of C programs write them; false if it is not there. */
  flag(key: string): boolean {
    const value = this.value[key];
    if (value === undefined || value === null) return false;
    if (typeof value === 'boolean') return value;
    return value === 0 || value === 1 ? value === 1 : this.wrong(key, 'a truth value');
  }

  /** `"0x…"` */
  address(key: string): bigint {
    return addressIn(this.value[key]) ?? this.wrong(key, 'an address such as "0xffffffff80000000"');
  }

  /** A list of `"0x…"`. */
  addresses(key: string): bigint[] {
    return this.list(key).map((item) => addressIn(item) ?? this.wrong(key, 'a list of addresses'));
  }

  /** Bytes as hex. */
  bytes(key: string): Uint8Array {
    return hexToBytes(this.text(key));
  }

  list(key: string): readonly unknown[] {
    const value = this.value[key];
    return Array.isArray(value) ? value : this.wrong(key, 'a list');
  }

  numbers(key: string): number[] {
    return this.list(key).map((item) =>
      typeof item === 'number' ? item : this.wrong(key, 'a list of numbers'),
    );
  }

  object(key: string): Fields {
    return Fields.of(this.value[key], `${this.where}.${key}`);
  }

  objects(key: string): Fields[] {
    return this.list(key).map((item, i) => Fields.of(item, `${this.where}.${key}[${i}]`));
  }

  /** A list of lists, such as `[[offset, target, symbol], …]`. */
  rows(key: string): (readonly unknown[])[] {
    return this.list(key).map((item) => (Array.isArray(item) ? item : this.wrong(key, 'a list of lists')));
  }

  private wrong(key: string, expected: string): never {
    const what = this.has(key) ? 'is not' : 'is missing; it must be';
    throw new EngineError('usage/vectors', `${this.where}.${key} ${what} ${expected}.`, {
      where: this.where,
      key,
    });
  }
}

/** An address as records write it; undefined for anything else. */
export const addressIn = (value: unknown): bigint | undefined =>
  typeof value === 'string' && /^0x[0-9a-f]{1,16}$/i.test(value) ? BigInt(value) : undefined;
