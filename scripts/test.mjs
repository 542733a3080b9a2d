import { readFileSync, rmSync } from 'node:fs';
import { ensureTools } from './lib/debian.mjs';
import { inRoot } from './lib/paths.mjs';
import { nodeBin, run } from './lib/run.mjs';
import { runScript, say } from './lib/say.mjs';
import { ensureBuild, ensureModules } from './lib/setup.mjs';

const ORACLES = [
  'clang-19',
  'llvm-objdump-19',
  'llvm-mc-19',
  'llvm-mca-19',
  'riscv64-linux-gnu-objdump',
  'riscv64-linux-gnu-gcc',
  'qemu-riscv64',
];

/** Every check of the project, in the order in which a failure is cheapest to see. Ends with `N passed, N failed`. */
await runScript(async () => {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const add = (what, result) => {
    for (const key of Object.keys(total)) total[key] += result[key] ?? 0;
    say(
      `${what}: ${result.passed} passed, ${result.failed} failed${result.skipped ? `, ${result.skipped} skipped` : ''}`,
    );
  };

  await ensureModules();
  const noBrowser = (await ensureTools(['chromium', ...ORACLES])).includes('chromium');

  add('lint', await step(['eslint/bin/eslint.js', '.', '--max-warnings', '0']));
  add('format', await step(['prettier/bin/prettier.cjs', '--check', '.']));
  for (const project of ['engine', 'node'])
    add(`types (${project})`, await step(['typescript/bin/tsc', '-p', `tsconfig.${project}.json`]));
  add('types (renderer)', await step(['vue-tsc/bin/vue-tsc.js', '-p', 'tsconfig.renderer.json']));
  add('unit tests', await unit());
  await ensureBuild();
  if (noBrowser) {
    say(
      'e2e tests: no Chromium could be installed, so the window was not tested; this counts as one failure',
    );
    total.failed += 1;
  } else {
    add('e2e tests', await e2e());
  }

  const skipped = total.skipped ? `, ${total.skipped} skipped` : '';
  process.stdout.write(`${total.passed} passed, ${total.failed} failed${skipped}\n`);
  return total.failed === 0 ? 0 : 1;
});

/** A check that passes or fails as a whole. */
async function step([bin, ...args]) {
  const [node, file] = nodeBin(bin);
  const { code } = await run(node, [file, ...args]);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 };
}

async function unit() {
  const [node, file] = nodeBin('vitest/vitest.mjs');
  const report = freshReport('unit.json');
  const { code } = await run(node, [
    file,
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  const json = readReport(report);
  if (!json) return { passed: 0, failed: 1 };
  const result = {
    passed: json.numPassedTests,
    failed: json.numFailedTests,
    skipped: json.numPendingTests + json.numTodoTests,
  };
  // A file that cannot even be loaded, or an error outside any test, fails the run without failing a test.
  if (code !== 0 && result.failed === 0) result.failed = Math.max(1, json.numFailedTestSuites);
  return result;
}

async function e2e() {
  const [node, file] = nodeBin('@playwright/test/cli.js');
  const report = freshReport('e2e.json');
  const { code } = await run(node, [file, 'test', '--reporter=list,json'], {
    env: { PLAYWRIGHT_JSON_OUTPUT_NAME: report },
  });
  const json = readReport(report);
  if (!json) return { passed: 0, failed: 1 };
  const { expected, flaky, unexpected, skipped } = json.stats;
  const result = { passed: expected + flaky, failed: unexpected, skipped };
  if (code !== 0 && result.failed === 0) result.failed = 1;
  return result;
}

function freshReport(name) {
  const file = inRoot('.cache', name);
  rmSync(file, { force: true });
  return file;
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
