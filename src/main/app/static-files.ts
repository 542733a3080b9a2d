import { readFile } from 'node:fs/promises';
import path from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
};

/**
 * The file of the renderer's build that a URL path names, or nothing: unknown names, paths that leave the directory
 * (also by encoded `..`) and directories alike.
 */
export async function readStatic(
  root: string,
  urlPath: string,
): Promise<{ body: Buffer; type: string } | undefined> {
  let decoded: string;
  try {
    decoded = decodeURIComponent(urlPath);
  } catch {
    return undefined;
  }
  if (decoded.includes('\0') || decoded.split(/[\\/]/).includes('..')) return undefined;
  const file = path.join(root, decoded === '/' ? 'index.html' : decoded);
  if (path.relative(root, file).startsWith('..')) return undefined;
  const body = await readFile(file).catch(() => undefined);
  return body && { body, type: TYPES[path.extname(file)] ?? 'application/octet-stream' };
}
