/** Lets the user choose a file where the host has no dialog of its own. */
export function chooseFile(chosen: (file: File) => unknown): void {
  const input = document.createElement('input');
  input.type = 'file';
  input.accept = '.o,.elf,application/octet-stream';
  input.addEventListener('change', () => {
    const file = input.files?.[0];
    if (file) void chosen(file);
  });
  input.click();
}
