import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { withLock } from './lock.mjs';
import { run } from './run.mjs';
import { say } from './say.mjs';

/** Debian packages by the command that each is wanted for. */
const TOOLS = {
  chromium: 'chromium',
  'clang-19': 'clang-19',
  'llvm-objdump-19': 'llvm-19',
  'llvm-mc-19': 'llvm-19',
  'llvm-mca-19': 'llvm-19',
  'riscv64-linux-gnu-objdump': 'binutils-riscv64-linux-gnu',
  'riscv64-linux-gnu-gcc': 'gcc-riscv64-linux-gnu',
  'qemu-riscv64': 'qemu-user',
};

/** The full path of a command on the PATH, or nothing. */
export function findCommand(name) {
  for (const dir of (process.env.PATH ?? '').split(path.delimiter)) {
    const file = path.join(dir, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // not in this directory
    }
  }
  return undefined;
}

/**
 * Installs what is missing of the named commands (keys of TOOLS) from Debian's packages, where that is possible: as
 * root on a system with apt-get. Elsewhere it says what to install and goes on.
 * @returns {Promise<string[]>} the commands that are still missing
 */
export async function ensureTools(commands) {
  const missing = () => commands.filter((name) => !findCommand(name));
  if (missing().length === 0) return [];
  const packages = () => [...new Set(missing().map((name) => TOOLS[name]))];
  if (process.getuid?.() !== 0 || !findCommand('apt-get')) {
    say(`not installed: ${missing().join(', ')} (Debian: apt-get install ${packages().join(' ')})`);
    return missing();
  }
  await withLock(async () => {
    if (missing().length === 0) return;
    say(`installing Debian packages: ${packages().join(' ')}`);
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    const quiet = { env, output: 'quiet', log: 'apt.log' };
    // Without fresh lists an image's old ones may name versions that are gone.
    await run('apt-get', ['update'], quiet);
    const { code, output } = await run(
      'apt-get',
      ['install', '-y', '--no-install-recommends', ...packages()],
      quiet,
    );
    if (code !== 0) say(`apt-get failed (.cache/apt.log): ${output.trimEnd().split('\n').at(-1)}`);
  });
  return missing();
}
