import { expect, it } from 'vitest';
import { keyName, keyText, normalizeKey } from './keys';

const press = (
  key: string,
  modifiers: { ctrl?: boolean; shift?: boolean; alt?: boolean; meta?: boolean } = {},
) => ({
  key,
  ctrlKey: modifiers.ctrl ?? false,
  shiftKey: modifiers.shift ?? false,
  altKey: modifiers.alt ?? false,
  metaKey: modifiers.meta ?? false,
});

it.each([
  [press('F5'), 'F5'],
  [press('F11', { shift: true }), 'Shift+F11'],
  [press('p', { ctrl: true, shift: true }), 'Ctrl+Shift+P'],
  [press('g', { meta: true }), 'Ctrl+G'],
  [press('1', { alt: true }), 'Alt+1'],
  [press(' '), 'Space'],
])('names a key press', (event, name) => {
  expect(keyName(event)).toBe(name);
});

it('compares keys whatever the order of their modifiers', () => {
  expect(normalizeKey('Shift+Ctrl+P')).toBe(normalizeKey('Ctrl+Shift+P'));
});

it('shows keys as the system does', () => {
  expect(keyText('Ctrl+Shift+F5', false)).toBe('Ctrl+Shift+F5');
  expect(keyText('Ctrl+Shift+F5', true)).toBe('⌘⇧F5');
});
