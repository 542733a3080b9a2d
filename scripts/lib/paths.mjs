import path from 'node:path';

/** The repository's root. */
export const ROOT = path.resolve(import.meta.dirname, '../..');
/** Recorded vectors beside the repository; not everybody has them. */
export const GOLDEN = path.resolve(ROOT, '../shared/golden');
export const inRoot = (...parts) => path.join(ROOT, ...parts);
