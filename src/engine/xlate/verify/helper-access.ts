import type { XlateMap } from '../types';
import { smallConstant, type KnownRegisters } from './const-registers';
import type { VerifierEnv } from './env';
import { helperProto, type HelperProto } from './helper-protos';
import { kfuncProto } from './kfunc-protos';
import { MAX_STACK } from './state';

/** What a call does with the memory that an argument points to; `unknown` reads as far as it likes. */
export type Access = 'none' | 'unknown' | { readonly how: 'read' | 'write'; readonly bytes: number };

const DYNPTR_BYTES = 16;
const NUMBER_ITERATOR_BYTES = 8;

/** Arguments that a call of a helper or kernel function looks at. */
export function argumentCount(env: VerifierEnv, at: number): number {
  const insn = env.insnAt(at);
  const proto = insn.src === 0 ? helperProto(insn.imm) : kfuncProto(env.input.kfuncs.get(at) ?? '');
  return proto ? proto.args.length : 5;
}

/** What the helper or kernel function that is called at `at` does with argument `arg`, 0 for r1 (bpf_helper_stack_access_bytes). */
export function argumentAccess(env: VerifierEnv, at: number, arg: number, known: KnownRegisters): Access {
  const insn = env.insnAt(at);
  if (insn.src !== 0) return kfuncAccess(env.input.kfuncs.get(at) ?? '', arg);
  const proto = helperProto(insn.imm);
  const spec = proto?.args[arg];
  if (!proto || !spec) return 'unknown';
  switch (spec.kind) {
    case 'key':
    case 'value':
      return access(spec.write, mapBytes(env, proto, arg, known, spec.kind));
    case 'mem': {
      if (spec.bytes > 0) return access(spec.write, spec.bytes);
      if (proto.args[arg + 1]?.kind !== 'size') return 'unknown';
      const size = smallConstant(known[arg + 2]);
      if (size === undefined) return spec.write ? 'none' : access(false, MAX_STACK);
      return size === 0n ? 'none' : access(spec.write, Number(size));
    }
    case 'dynptr':
      return access(spec.write, DYNPTR_BYTES);
    case 'callback-ctx':
      return 'none';
    default:
      return 'unknown';
  }
}

function access(write: boolean, bytes: number | undefined): Access {
  return bytes === undefined ? 'unknown' : { how: write ? 'write' : 'read', bytes };
}

function kfuncAccess(name: string, arg: number): Access {
  switch (kfuncProto(name)?.args[arg]) {
    case 'new-iterator':
      return access(true, NUMBER_ITERATOR_BYTES);
    case 'iterator':
      return access(false, NUMBER_ITERATOR_BYTES);
    default:
      return 'none';
  }
}

/** Size of a key or value of the map that is passed before it; of the largest of all maps if that is not known. */
function mapBytes(
  env: VerifierEnv,
  proto: HelperProto,
  arg: number,
  known: KnownRegisters,
  kind: 'key' | 'value',
): number | undefined {
  const sizeOf = (map: XlateMap): number => (kind === 'key' ? map.keySize : map.valueSize);
  const place = proto.args.findIndex((spec, i) => i < arg && spec.kind === 'map');
  const map = place < 0 ? undefined : known[place + 1];
  if (map?.kind === 'map') return sizeOf(map.map);
  let largest = 0;
  for (const constant of env.input.constants.values()) {
    if (constant.kind !== 'map' && constant.kind !== 'map-value') continue;
    const inner = constant.map.inner;
    largest = Math.max(
      largest,
      sizeOf(constant.map),
      inner ? (kind === 'key' ? inner.keySize : inner.valueSize) : 0,
    );
  }
  return largest === 0 ? undefined : largest;
}
