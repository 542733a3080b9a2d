import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { loadProgram } from './lib/bundle.mjs';
import { ensureTools } from './lib/debian.mjs';
import { GOLDEN, inRoot } from './lib/paths.mjs';
import { run } from './lib/run.mjs';
import { runScript, say, SetupError } from './lib/say.mjs';
import { ensureBuild } from './lib/setup.mjs';

const OPTIONS = ['--runs', '--disassembly'];

/**
 * The recorded vectors beside the repository: images, exception and offset tables and trampolines of everything, all
 * traces, and the tail call scenarios as runs; with --runs also the recorded runs of every kernel record; with --disassembly also
 * our disassembly of every different image beside llvm-objdump's. The last line sums them up.
 */
await runScript(async (args) => {
  const unknown = args.find((arg) => !OPTIONS.includes(arg));
  if (unknown !== undefined) throw new SetupError(`'${unknown}' is none of ${OPTIONS.join(', ')}`);
  if (!existsSync(GOLDEN)) {
    throw new SetupError(
      'there are no recorded vectors beside this repository (../shared/golden); npm test has its own selection',
    );
  }
  await ensureBuild();
  const all = filesBelow(GOLDEN).filter((file) =>
    /\.jsonl(\.gz)?$|[\\/]objects[\\/][^\\/]*\.json$/.test(file),
  );
  const traces = all.filter((file) => /traces\.jsonl/.test(file));
  const others = all.filter((file) => !traces.includes(file));
  const scenarios = others.filter((file) => file.endsWith('tailcall-semantics.jsonl'));
  const kernel = others.filter((file) => !file.includes(`${path.sep}harness${path.sep}`));
  const total = { passed: 0, failed: 0 };
  for (const [what, mode, files] of [
    ['images', [], all],
    ['traces', ['--traces'], traces],
    ['tail call scenarios', ['--runs'], scenarios],
    ['runs', ['--runs'], args.includes('--runs') ? kernel : []],
  ]) {
    if (files.length === 0) continue;
    say(`${what}: ${files.length} files`);
    const { output } = await run(process.execPath, [inRoot('bin/hartbeat'), 'vectors', ...mode, ...files], {
      output: 'stderr',
    });
    const match = /^(\d+) passed, (\d+) failed$/m.exec(output.trimEnd().split('\n').at(-1) ?? '');
    total.passed += match ? Number(match[1]) : 0;
    total.failed += match ? Number(match[2]) : 1;
  }
  if (args.includes('--disassembly')) {
    const { passed, failed } = await disassembly(all);
    total.passed += passed;
    total.failed += failed;
  }
  process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
  return total.failed === 0 ? 0 : 1;
});

/** @throws SetupError when there is no llvm-objdump and none can be installed */
async function disassembly(files) {
  say(`disassembly: ${files.length} files`);
  if ((await ensureTools(['llvm-objdump-19'])).length > 0) {
    throw new SetupError('without llvm-objdump-19 there is nothing to compare our disassembly with');
  }
  const compare = await loadProgram('test/disassembly/main.ts');
  const result = compare(files, say);
  say(`disassembly: ${result.passed} passed, ${result.failed} failed`);
  return result;
}

function filesBelow(dir) {
  return readdirSync(dir, { withFileTypes: true })
    .flatMap((entry) =>
      entry.isDirectory() ? filesBelow(path.join(dir, entry.name)) : [path.join(dir, entry.name)],
    )
    .sort();
}
