import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { buildWorld } from '../../src/engine/debugger/build';
import { CodeIndex } from '../../src/engine/debugger/code-index';
import { loadObject } from '../../src/engine/loader/load';
import { parseProfile } from '../../src/engine/jit/profile';
import { blocksOf, type Block } from './blocks';

/** The basic blocks of the examples' programs, JITed by us. */
export function exampleBlocks(): readonly Block[] {
  const examples = path.resolve('examples');
  return readdirSync(examples)
    .filter((file) => file.endsWith('.o'))
    .flatMap((file) => {
      const object = loadObject(readFileSync(path.join(examples, file)), file);
      return object.programs
        .filter((program) => program.unsupported === undefined)
        .flatMap((program) => {
          const { kernel } = buildWorld({ object, profile: parseProfile({}), program: program.name });
          return new CodeIndex(kernel).functions.flatMap((code) =>
            blocksOf(code.key, code.fn.image, code.fn.base),
          );
        });
    });
}

/** The basic blocks of every image in the recorded selections under test/golden, whichever kind of record it stands in. */
export function goldenBlocks(): readonly Block[] {
  const root = path.resolve('test/golden');
  const images = new Set<string>();
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.jsonl.gz')) continue;
    const text = gunzipSync(readFileSync(path.join(root, name))).toString();
    for (const [, hex] of text.matchAll(/"image": ?"([0-9a-f]+)"/g)) images.add(hex!);
  }
  return [...images].flatMap((hex, i) => blocksOf(`image ${i}`, Buffer.from(hex, 'hex'), 0x1_0000n));
}
