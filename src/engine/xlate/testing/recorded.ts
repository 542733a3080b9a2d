import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { decodeInsns } from '../../bpf/bytes';
import { hexToBytes } from '../../base/hex';
import { helperName } from '../../bpf/helpers';
import type { BpfReloc } from '../../loader/object';
import { parseProfile } from '../../jit/profile';
import type { XlateInput, XlateMap, XlatePort } from '../types';

/** What of a kernel its verifier's output depends on. */
export interface KernelFacts {
  readonly ksyms: Readonly<Record<string, string>>;
  readonly helpers: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, readonly [number, number]>>;
}

interface RecordedMap extends Omit<XlateMap, 'address' | 'valueAddress' | 'frozen' | 'inner'> {
  readonly address: string;
  readonly valueAddress?: string;
  readonly frozen?: string;
}

/** One program and what a kernel's verifier made of it (test/golden/xlate/README.md). */
export interface Recorded {
  readonly name: string;
  readonly kernel: '6.12' | '7.2';
  readonly progType: number;
  readonly attachType: number;
  readonly flags: number;
  readonly insns: string;
  readonly functions: readonly { readonly start: number; readonly linkage?: 'global' }[];
  readonly relocations: readonly BpfReloc[];
  readonly maps: readonly RecordedMap[];
  readonly jiffies?: string;
  readonly refused?: string;
  readonly code?: string;
  readonly stacks?: readonly number[];
  readonly tails?: readonly number[];
  readonly steps?: number | null;
}

interface Golden {
  readonly facts: Readonly<Record<'6.12' | '7.2', KernelFacts>>;
  readonly records: readonly Recorded[];
}

/** The recorded selection, read once. */
export const GOLDEN: Golden = JSON.parse(
  gunzipSync(
    readFileSync(new URL('../../../../test/golden/xlate/records.json.gz', import.meta.url)),
  ).toString(),
) as Golden;

const mapOf = ({ address, valueAddress, frozen, ...rest }: RecordedMap): XlateMap => ({
  ...rest,
  address: BigInt(address),
  ...(valueAddress === undefined ? {} : { valueAddress: BigInt(valueAddress) }),
  ...(frozen === undefined ? {} : { frozen: hexToBytes(frozen) }),
});

/** A port that answers as the recorded kernel would, with one CPU and the given maps. */
export function portOf(facts: KernelFacts, maps: readonly XlateMap[] = [], jiffies?: string): XlatePort {
  const byName = new Map(maps.map((map) => [map.name, map]));
  const symbol = (name: string): bigint | undefined => {
    const address = name === 'jiffies' ? jiffies : facts.ksyms[name];
    return address === undefined ? undefined : BigInt(address);
  };
  const callBase = symbol('__bpf_call_base')!;
  return {
    callBase,
    cpus: 1,
    map: (name) => byName.get(name)!,
    // bpf_get_prandom_u32 has no function of its own; helpers that no record calls get some address
    helper: (id) =>
      symbol(id === 7 ? 'bpf_user_rnd_u32' : (helperName(id) ?? '')) ??
      (facts.helpers[String(id)] === undefined
        ? callBase + BigInt(id) * 64n
        : BigInt(facts.helpers[String(id)]!)),
    symbol,
    kfunc: symbol,
    field: (name) => {
      const found = facts.fields[name];
      return found && { offset: found[0], size: found[1] };
    },
  };
}

/** Input and port of a record. */
export function inputOf(record: Recorded): { readonly input: XlateInput; readonly port: XlatePort } {
  const { name, kernel, progType, attachType, flags, relocations } = record;
  return {
    input: {
      name,
      insns: decodeInsns(hexToBytes(record.insns)),
      functions: record.functions.map(({ start, linkage }, i) => ({
        start,
        name: i === 0 ? 'main' : `sub${i}`,
        ...(linkage ? { linkage } : {}),
      })),
      relocations,
      progType,
      attachType,
      flags,
      profile: parseProfile({ kernel, tcc: 'mainline' }),
      // What these kernels' JIT says.
      supportsSubprogTailCalls: false,
      losesZextAtJoins: kernel === '7.2',
    },
    port: portOf(GOLDEN.facts[kernel], record.maps.map(mapOf), record.jiffies),
  };
}
