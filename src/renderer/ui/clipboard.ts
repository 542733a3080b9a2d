import { useNotices } from '../stores/notices';

/** Puts text on the clipboard; says so when the system refuses. */
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    if (!copyBySelection(text)) {
      useNotices().add(
        'error',
        'The clipboard refused the text. Select it and press Ctrl+C instead.',
        'Copy',
      );
    }
  }
}

/** The old way, for pages that may not use the clipboard interface. */
function copyBySelection(text: string): boolean {
  const area = document.createElement('textarea');
  const focused = document.activeElement;
  area.value = text;
  area.className = 'visually-hidden';
  document.body.append(area);
  area.select();
  const ok = document.execCommand('copy');
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return ok;
}
