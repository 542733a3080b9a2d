import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { inRoot } from './lib/paths.mjs';
import { run } from './lib/run.mjs';
import { runScript, say, SetupError } from './lib/say.mjs';

const CLANG = 'clang-19';

/** Compiles examples/*.c to the .o beside each; no path of this machine gets into them. */
await runScript(async () => {
  for (const source of readdirSync(inRoot('examples')).filter((name) => name.endsWith('.c'))) {
    const object = source.replace(/\.c$/, '.o');
    const { code, output } = await run(CLANG, flags(`examples/${source}`, `examples/${object}`), {
      output: 'quiet',
    }).catch(() => {
      throw new SetupError(`${CLANG} is missing: install it, and libbpf-dev for its headers`);
    });
    if (code !== 0) throw new SetupError(`examples/${source} does not compile:\n${output}`);
    say(`examples/${object}`);
  }
});

/** @param {string} source @param {string} object both from the root */
function flags(source, object) {
  return [
    ...['-O2', '-g', '-Wall', '-Werror', '-target', 'bpf', '-mcpu=v3'],
    ...systemHeaders().map((dir) => `-I${dir}`),
    ...[
      '-fdebug-compilation-dir=examples',
      '-ffile-prefix-map=examples/=',
      '-ffile-prefix-map=/usr/include=include',
    ],
    ...['-c', source, '-o', object],
  ];
}

/** The host's asm/ headers, which the BPF target does not look for. */
function systemHeaders() {
  const machine = { x64: 'x86_64', arm64: 'aarch64', riscv64: 'riscv64' }[process.arch];
  return [`/usr/include/${machine}-linux-gnu`].filter((dir) => existsSync(path.join(dir, 'asm')));
}
