import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { settingsSchema, type Settings } from '../../shared/contract';

/** Settings in one JSON file; a damaged file is set aside (`.bad`), never a reason not to start. */
export class SettingsStore {
  private writing: Promise<void> = Promise.resolve();

  constructor(private readonly file: string) {}

  /** The settings as they were last given to be written: a page that reloads reads right behind its last save. */
  async read(): Promise<Settings> {
    await this.written();
    let text: string;
    try {
      text = await readFile(this.file, 'utf8');
    } catch {
      return {};
    }
    try {
      return v.parse(settingsSchema, JSON.parse(text));
    } catch {
      await rename(this.file, `${this.file}.bad`).catch(() => undefined);
      return {};
    }
  }

  /** Writes atomically; writes are done one after the other, so the last one given stays. */
  write(settings: Settings): Promise<void> {
    this.writing = this.writing
      .catch(() => undefined)
      .then(async () => {
        await mkdir(path.dirname(this.file), { recursive: true });
        const next = `${this.file}.new`;
        await writeFile(next, `${JSON.stringify(settings, null, 2)}\n`);
        await rename(next, this.file);
      });
    return this.writing;
  }

  /** Resolves when the last write is done, well or not. */
  written(): Promise<void> {
    return this.writing.catch(() => undefined);
  }
}
