import { SCHEME_NAMES, type TccSchemeName } from '../../src/engine/jit/tcc/index';
import { Differential, profilesOf } from './run';

/** Differences that are shown in full. */
const SHOWN = 3;

/**
 * The long form of the differential check: `count` scenarios for each of the schemes, all profiles in turn.
 * @param print takes one line of text
 * @returns the number of scenarios that differ
 */
export default function differential(
  count: number,
  schemes: readonly string[],
  print: (line: string) => void,
): number {
  let differing = 0;
  for (const tcc of schemes.length > 0 ? schemes.map(schemeOf) : SCHEME_NAMES) {
    const start = performance.now();
    const profiles = profilesOf(tcc);
    const check = new Differential();
    let wrong = 0;
    for (let seed = 0; seed < count; seed++) {
      const difference = check.check(seed, profiles[seed % profiles.length]!);
      if (difference === undefined) continue;
      wrong++;
      if (wrong <= SHOWN) print(difference);
    }
    const seconds = (performance.now() - start) / 1000;
    print(
      `${tcc}: ${count} scenarios (${check.programs} programs, ${check.insns} BPF instructions, ${check.executed} native instructions executed, ${profiles.length} profiles), ${wrong} differ; ${seconds.toFixed(1)} s`,
    );
    differing += wrong;
  }
  return differing;
}

function schemeOf(word: string): TccSchemeName {
  const scheme = SCHEME_NAMES.find((name) => name === word);
  if (scheme) return scheme;
  throw new Error(`There is no scheme ${word}; there are ${SCHEME_NAMES.join(', ')}.`);
}
