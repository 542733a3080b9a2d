import { loadProgram } from './lib/bundle.mjs';
import { runScript, say, SetupError } from './lib/say.mjs';

const DEFAULT_COUNT = 10_000;

/**
 * `npm run differential [-- COUNT [SCHEME…]]`: random programs, JITed and run on the machine, against the reference interpreter.
 * The last line is `N passed, N failed`.
 */
await runScript(async ([count = String(DEFAULT_COUNT), ...schemes]) => {
  if (!/^\d+$/.test(count)) throw new SetupError(`'${count}' is no number of scenarios`);
  const differential = await loadProgram('test/differential/main.ts');
  let compared = 0;
  const differing = differential(Number(count), schemes, (line) => {
    say(line);
    compared += Number(/(\d+) scenarios/.exec(line)?.[1] ?? 0);
  });
  process.stdout.write(`${compared - differing} passed, ${differing} failed\n`);
  return differing === 0 ? 0 : 1;
});
