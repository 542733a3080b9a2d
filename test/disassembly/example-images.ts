import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { EngineError } from '../../src/engine/base/errors';
import { buildWorld } from '../../src/engine/debugger/build';
import { parseProfile, SCHEMES, type Profile } from '../../src/engine/jit/profile';
import { loadObject } from '../../src/engine/loader/load';
import type { BpfObject } from '../../src/engine/loader/object';
import { isaText } from '../../src/engine/profile/isa';
import { KERNELS } from '../../src/engine/profile/kernels';
import type { ComparedCode } from '../../src/engine/rv64/testing/agreement';

const EXAMPLES = path.resolve(import.meta.dirname, '../../examples');
const ISAS = ['rv64ima', 'rv64imac', 'rv64ima_zba_zbb_zacas', 'rv64imac_zba_zbb_zacas'];

/** Every kernel with every scheme that it has, and sets of extensions; kCFI adds data in front of code and is off. */
function everyProfile(): Profile[] {
  return KERNELS.flatMap((kernel) =>
    SCHEMES[kernel].flatMap((tcc) => ISAS.map((isa) => parseProfile({ kernel, tcc, isa }))),
  );
}

/** What our JIT makes of the programs of the examples under every profile. Programs that a profile refuses have no image. */
export function* exampleImages(): Generator<ComparedCode, void> {
  for (const file of readdirSync(EXAMPLES).filter((name) => name.endsWith('.o'))) {
    const object = loadObject(new Uint8Array(readFileSync(path.join(EXAMPLES, file))), file);
    const names = object.programs.map(({ name }) => name);
    for (const profile of everyProfile()) {
      const together = compiled(object, profile, names);
      // One that is refused keeps the others from being loaded with it.
      yield* together ?? names.flatMap((name) => compiled(object, profile, [name]) ?? []);
    }
  }
}

/** @returns undefined if the profile's verifier refuses one of the programs, since its JIT cannot mix calls and tail calls */
function compiled(
  object: BpfObject,
  profile: Profile,
  [program, ...also]: readonly string[],
): ComparedCode[] | undefined {
  try {
    const { kernel } = buildWorld({ object, profile, program: program!, also, timing: 'none' });
    return kernel.programs.flatMap(({ name, jit }) =>
      jit.functions.map((fn) => ({
        label: `${object.name} ${name}/${fn.name}, ${profile.kernel} ${profile.tcc} ${isaText(profile.isa)}`,
        address: fn.base,
        bytes: fn.image.subarray(0, fn.finalLen),
      })),
    );
  } catch (error) {
    if (error instanceof EngineError && error.code === 'xlate/mixing') return undefined;
    throw error;
  }
}
