import { protocol } from 'electron';
import { SECURITY_HEADERS } from '../app/csp';
import { readStatic } from '../app/static-files';
import { APP_ORIGIN } from './security';

const { protocol: scheme, host } = new URL(APP_ORIGIN);

/** Before the application is ready: app:// is a standard, secure scheme with an origin of its own. */
export function registerAppScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: scheme.slice(0, -1), privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ]);
}

/** Serves the built renderer under app://hartbeat/, contained in its directory. */
export function serveRenderer(root: string): void {
  protocol.handle(scheme.slice(0, -1), async (request) => {
    const url = new URL(request.url);
    const file =
      url.host === host && request.method === 'GET' ? await readStatic(root, url.pathname) : undefined;
    if (!file) return new Response('Not found.\n', { status: 404, headers: SECURITY_HEADERS });
    return new Response(new Uint8Array(file.body), {
      headers: { ...SECURITY_HEADERS, 'Content-Type': file.type },
    });
  });
}
