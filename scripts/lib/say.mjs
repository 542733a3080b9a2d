/** Progress goes to stderr, so that a command's own output stays clean. */
export function say(text) {
  process.stderr.write(`hartbeat: ${text}\n`);
}

/** A failure that ends a script with one clear line. */
export class SetupError extends Error {}

/** Runs a script's main function; a SetupError is one line on stderr and exit code 2. */
export async function runScript(main) {
  try {
    process.exitCode = (await main(process.argv.slice(2))) ?? 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    process.exitCode = 2;
  }
}
