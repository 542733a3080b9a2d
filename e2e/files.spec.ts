import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { EXAMPLES, expect, test } from './fixtures.ts';

/** The first 64 bytes of an ELF file with this machine and byte order, and no sections. */
function elfHeader(machine: number, bigEndian = false): Uint8Array {
  const bytes = new Uint8Array(64);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, bigEndian ? 2 : 1, 1]);
  view.setUint16(16, 1, !bigEndian);
  view.setUint16(18, machine, !bigEndian);
  view.setUint32(20, 1, !bigEndian);
  view.setUint16(52, 64, !bigEndian);
  return bytes;
}

const EM_X86_64 = 62;
const EM_BPF = 247;

test('files that cannot be debugged each get a sentence of their own, and the window goes on @double', async ({
  open,
}) => {
  const { start, debug, dir, choose, page } = await open();
  await debug.ready();
  const example = await readFile(path.join(EXAMPLES, 'tailcall_dispatch.o'));
  const files: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['notes.txt', new TextEncoder().encode('These are notes, not a program.\n'), /not an ELF/i],
    ['native.o', elfHeader(EM_X86_64), /x86|machine/i],
    ['network.o', elfHeader(EM_BPF, true), /big.endian/i],
    ['half.o', example.subarray(0, Math.floor(example.length / 2)), /truncated|end of the file|beyond|ends/i],
    ['empty.o', new Uint8Array(), /empty/i],
  ];
  await debug.button('Programs, inputs and examples').click();
  const sentences = new Set<string>();
  for (const [name, bytes, sentence] of files) {
    const file = path.join(dir, name);
    await writeFile(file, bytes);
    await choose(file);
    await start.open();
    const problem = start.problem.filter({ hasText: 'was not opened' });
    await expect(problem).toHaveText(sentence);
    const text = await problem.locator('p').first().textContent();
    sentences.add((text ?? '').replaceAll(/\S+\.(?:o|txt)/g, ''));
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await expect(problem).toHaveCount(0);
  }
  expect(sentences.size).toBe(files.length);

  await choose(path.join(EXAMPLES, 'hierarchy.o'));
  await start.open();
  await expect(page.getByRole('heading', { level: 2, name: /^(hierarchy|chosen)\.o$/ })).toBeVisible();
  await start.startButton.click();
  await debug.ready();
});

test('a file named on the command line opens; a wrong one says what is wrong', async ({ open }) => {
  const good = await open({ file: path.join(EXAMPLES, 'hierarchy.o') });
  await good.debug.ready();
  await expect(good.debug.stopReason).toHaveText('Entered entry.');
  await good.page.close();
  const bad = await open({ file: path.join(EXAMPLES, 'hierarchy.c') });
  await expect(bad.start.problem).toContainText('hierarchy.c was not opened');
});

test('an object that is dropped on the window opens, with a choice of its programs', async ({ open }) => {
  const { debug, start, page } = await open();
  await debug.ready();
  const bytes = await readFile(path.join(EXAMPLES, 'tailcall_dispatch.o'));
  await start.drop('dropped.o', [...bytes]);
  await expect(page.getByRole('heading', { name: 'dropped.o' })).toBeVisible();
  await start.program('on_arp').check();
  await start.kernel.selectOption('7.2');
  await expect(start.scheme.getByRole('option')).toHaveText(['mainline', 'transparent']);
  await start.scheme.selectOption('mainline');
  await start.startButton.click();
  await debug.ready();
  await expect(debug.stopReason).toHaveText('Entered on_arp.');
  await expect(debug.counters).toContainText('7.2 · mainline · rv64imac');
});
