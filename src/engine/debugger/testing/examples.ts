import { readFileSync } from 'node:fs';
import { loadObject } from '../../loader/load';
import type { TimingName } from '../../machine/timing/profile';
import { parseProfile, type ProfileWords } from '../../jit/profile';
import { buildWorld } from '../build';
import { defaultInputs } from '../inputs';
import { Session, type SessionOptions } from '../session';

/** A session on one of the repository's examples, standing at the program's entry. */
export function exampleSession(
  name: string,
  program: string,
  words: ProfileWords = {},
  options: Partial<SessionOptions> & { readonly timing?: TimingName | 'none' } = {},
): Session {
  const file = new URL(`../../../../examples/${name}.o`, import.meta.url);
  const object = loadObject(new Uint8Array(readFileSync(file)), `${name}.o`);
  const world = buildWorld({ object, profile: parseProfile(words), program, timing: options.timing });
  return new Session({ id: 's1', world, inputs: defaultInputs(world.program.source.type), ...options });
}
