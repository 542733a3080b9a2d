/** Keys as they are written in the commands table: `Ctrl+Shift+F5`, `F9`, `Alt+1`. */

export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
}

/** The name of a key press in the commands table's notation; Cmd counts as Ctrl. */
export function keyName(press: KeyPress): string {
  const key = press.key.length === 1 ? press.key.toUpperCase() : press.key;
  return [
    (press.ctrlKey || press.metaKey) && 'Ctrl',
    press.altKey && 'Alt',
    press.shiftKey && 'Shift',
    key === ' ' ? 'Space' : key,
  ]
    .filter(Boolean)
    .join('+');
}

/** The notation in one order of modifiers, so that names can be compared. */
export function normalizeKey(name: string): string {
  const parts = name.split('+');
  const key = parts.pop() ?? '';
  const ordered = ['Ctrl', 'Alt', 'Shift'].filter((modifier) => parts.includes(modifier));
  return [...ordered, key].join('+');
}

/** How a key is shown on this system. */
export function keyText(name: string, mac = isMac()): string {
  return mac ? name.replace('Ctrl', '⌘').replace('Shift', '⇧').replace('Alt', '⌥').replaceAll('+', '') : name;
}

function isMac(): boolean {
  return typeof navigator !== 'undefined' && /Mac/.test(navigator.userAgent);
}
