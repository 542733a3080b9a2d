import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** An object file with what libbpf handed to the kernel: recorded there, or by running libbpf with the system call replaced. */
export interface RecordedObject {
  readonly name: string;
  readonly origin: string;
  readonly bytes: Uint8Array;
  readonly programs: readonly {
    /** Cut to 15 characters, as the kernel keeps it. */
    readonly name: string;
    readonly type: number;
    readonly attach: number;
    readonly flags: number;
    readonly insns: string;
    readonly rel: readonly (readonly [insn: number, map: string])[];
    /** Missing when the object has no BTF. */
    readonly subprogs: readonly number[] | null;
    /** `slot:line:column,` for each entry, where recorded. */
    readonly lines?: string;
  }[];
  readonly maps: readonly (readonly [
    name: string,
    type: number,
    key: number,
    value: number,
    entries: number,
    flags: number,
  ])[];
}

/** All recorded objects of test/golden/loader. */
export function recordedObjects(): RecordedObject[] {
  const file = new URL('../../../../test/golden/loader/objects.json.gz', import.meta.url);
  const records = JSON.parse(gunzipSync(readFileSync(file)).toString()) as (Omit<RecordedObject, 'bytes'> & {
    object: string;
  })[];
  return records.map(({ object, ...rest }) => ({
    ...rest,
    bytes: new Uint8Array(Buffer.from(object, 'base64')),
  }));
}

/** The bytes of one recorded object. */
export function recordedObject(name: string): Uint8Array {
  const found = recordedObjects().find((object) => object.name === name);
  if (!found) throw new Error(`there is no recorded object ${name}`);
  return found.bytes;
}
