import { useEventListener } from '@vueuse/core';
import { keyName, normalizeKey } from './keys';
import type { Command, Commands } from './commands';

/** Keys that a text field needs for itself: everything without Ctrl or Alt but the function keys. */
function belongsToField(event: KeyboardEvent): boolean {
  const target = event.composedPath()[0];
  const field =
    target instanceof HTMLElement && (target.matches('input, textarea, select') || target.isContentEditable);
  return field && !event.ctrlKey && !event.metaKey && !event.altKey && !/^F\d+$/.test(event.key);
}

/**
 * Listens to the keys of the commands table. A key of the table is always taken from the browser (F5 must not reload the
 * page), whether its command is enabled or not.
 */
export function useKeys(commands: Commands): void {
  const byKey = new Map<string, Command>();
  for (const command of commands.all) for (const key of command.keys) byKey.set(normalizeKey(key), command);

  useEventListener(
    window,
    'keydown',
    (event) => {
      const command = byKey.get(keyName(event));
      if (!command || belongsToField(event)) return;
      event.preventDefault();
      event.stopPropagation();
      if (command.enabled.value && !(event.repeat && !command.id.startsWith('step-'))) void command.run();
    },
    { capture: true },
  );
}
