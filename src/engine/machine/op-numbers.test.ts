import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { opsSource } from './op-numbers';

const file = new URL('./core/ops.ts', import.meta.url);

// HARTBEAT_UPDATE=1 npx vitest run src/engine/machine/op-numbers.test.ts writes the file anew.
test('core/ops.ts is what the instruction table says', () => {
  if (process.env['HARTBEAT_UPDATE']) writeFileSync(file, opsSource());
  expect(readFileSync(file, 'utf8')).toBe(opsSource());
});
