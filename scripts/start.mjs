import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ensureTools, findCommand } from './lib/debian.mjs';
import { inRoot, ROOT } from './lib/paths.mjs';
import { runScript, say } from './lib/say.mjs';
import { ensureBuild } from './lib/setup.mjs';

const HELP = `Usage: npm start [-- [--no-window] [--port N] [object.o]]

Installs and builds what is missing and opens the debugger: in Electron if its binary is there, else in a Chromium
application window, else it prints an address to open in any browser. Without an object it opens an example.

  --no-window   only serve: print the address
  --port N      serve on this port of 127.0.0.1 (default: a free one)
`;

await runScript(async (args) => {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(HELP);
    return 0;
  }
  await ensureBuild();
  // npm changes to the package's directory; the user's own is in INIT_CWD.
  const cwd = process.env.INIT_CWD ?? process.cwd();
  const resolved = args.map((arg, i) =>
    arg.startsWith('-') || args[i - 1] === '--port' ? arg : path.resolve(cwd, arg),
  );

  const electron = electronBinary();
  const wantsHost = args.includes('--no-window') || args.includes('--port');
  if (electron && !wantsHost && hasDisplay()) return launch(electron, [ROOT, ...resolved]);
  if (!wantsHost && hasDisplay() && !process.env.HARTBEAT_BROWSER && !anyBrowser())
    await ensureTools(['chromium']);
  if (!electron)
    say('Electron’s binary is not here (npx install-electron fetches it); using the browser host');
  return launch(process.execPath, [inRoot('out/main/host.js'), ...resolved]);
});

/** Electron's program if it has been fetched; found by files alone, because importing `electron` would try to fetch it. */
function electronBinary() {
  const dist = process.env.ELECTRON_OVERRIDE_DIST_PATH ?? inRoot('node_modules/electron/dist');
  const pathFile = inRoot('node_modules/electron/path.txt');
  const name = existsSync(pathFile) ? readFileSync(pathFile, 'utf8').trim() : 'electron';
  const file = path.join(dist, name);
  return existsSync(file) ? file : undefined;
}

function anyBrowser() {
  return ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge'].some(
    findCommand,
  );
}

function hasDisplay() {
  return process.platform !== 'linux' || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}

function launch(program, args) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'inherit', cwd: ROOT });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    child.once('error', (error) => {
      say(`cannot start ${program}: ${error.message}`);
      resolve(1);
    });
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
