import { describe, expect, test } from 'vitest';
import { allOps } from '../../src/engine/bpf/table';
import type { FaultName } from '../../src/engine/profile/faults';
import { generate } from './generator';
import { SCHEME_NAMES } from '../../src/engine/jit/tcc/index';
import { capabilitiesOf, compile, Differential, profilesOf } from './run';

/** `npm run differential` does 10,000. */
const SCENARIOS = 150;

describe('JITed code on the machine does what the reference interpreter does', () => {
  test.each(SCHEME_NAMES)(`${SCENARIOS} random scenarios, scheme %s`, (tcc) => {
    const differential = new Differential();
    const profiles = profilesOf(tcc);
    for (let seed = 0; seed < SCENARIOS; seed++) {
      expect(differential.check(seed, profiles[seed % profiles.length]!)).toBeUndefined();
    }
  });
});

describe('Branches over more than 1 MiB', () => {
  // One of each kind is enough: these take long.
  const profiles = profilesOf('transparent').filter(
    ({ kernel, isa, cfi }) => kernel === (isa.c ? '6.12' : '7.3') && !isa.zba && !isa.zbb && !cfi,
  );
  test.each(profiles)('kernel $kernel, compressed: $isa.c', (profile) => {
    const scenario = generate(1, capabilitiesOf(profile), true);
    const rules = compile(scenario, profile)
      .flat()
      .flatMap(({ pieces }) => pieces.map(({ rule }) => rule));
    expect(rules).toContain('branch/relaxed-32');
    expect(new Differential().check(1, profile, scenario)).toBeUndefined();
  });
});

describe('The check finds what is wrong', () => {
  const faults: FaultName[] = [
    'alu32-logic-keeps-upper',
    'alu32-sign-extends',
    'tail-call-overwrites-context',
    'tail-call-limit-32',
    'function-address-length-varies',
    'image-not-converged',
    'result-not-sign-extended',
    'kfunc-arguments-not-extended',
    'cpu-number-loaded-wide',
    'tcc-clobbered-by-helper',
  ];
  test.each(faults)('past bug %s', (fault) => {
    const differential = new Differential();
    const profiles = profilesOf('transparent').map((profile) => ({ ...profile, faults: [fault] }));
    const found = Array.from({ length: 300 }, (_, seed) => seed).find(
      (seed) => differential.check(seed, profiles[seed % profiles.length]!) !== undefined,
    );
    expect(found).toBeDefined();
  });
});

test('The generator makes every instruction that the JIT translates', () => {
  const made = new Set<number>();
  const profiles = profilesOf('transparent');
  for (let seed = 0; seed < 400; seed++) {
    const { programs } = generate(seed, capabilitiesOf(profiles[seed % profiles.length]!));
    for (const { insns } of programs) for (const { code } of insns) made.add(code);
  }
  const missing = allOps()
    .filter(({ kind }) => !['ld_abs', 'ld_ind', 'may_goto', 'nospec'].includes(kind))
    // Sign-extending loads from an arena are refused by the JIT; read-modify-write operations are 32 or 64 bits wide.
    .filter((op) => !('probe' in op && op.probe === 'probe_mem32sx'))
    .filter(({ code }) => !made.has(code))
    .map(({ code, kind }) => `${kind} ${code.toString(16)}`);
  expect(missing).toEqual([]);
});
