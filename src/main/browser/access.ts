import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const COOKIE = 'hartbeat';

/**
 * Who may talk to the browser host: the one browser that was given the one-time token, from this machine's own
 * address, from our own page.
 */
export class Access {
  /** Part of the URL that is opened; good for one exchange. */
  readonly token = randomBytes(32).toString('hex');
  private readonly secret = randomBytes(32).toString('hex');
  private used = false;

  constructor(private readonly port: () => number) {}

  /** Exchanges the token for a cookie: the Set-Cookie header, or nothing for a wrong or used token. */
  exchange(token: string | null): string | undefined {
    if (this.used || token === null || !equal(token, this.token)) return undefined;
    this.used = true;
    return `${COOKIE}=${this.secret}; HttpOnly; SameSite=Strict; Path=/`;
  }

  /** Against DNS rebinding: only requests that name this address may pass. */
  hostAllowed(request: IncomingMessage): boolean {
    return [`127.0.0.1:${this.port()}`, `localhost:${this.port()}`].includes(request.headers.host ?? '');
  }

  hasCookie(request: IncomingMessage): boolean {
    const cookies = (request.headers.cookie ?? '').split(/;\s*/);
    return cookies.some((cookie) => {
      const [name, value] = cookie.split('=', 2);
      return name === COOKIE && value !== undefined && equal(value, this.secret);
    });
  }

  /** An upgrade must come from our own page. */
  originAllowed(request: IncomingMessage): boolean {
    return request.headers.origin === `http://${request.headers.host ?? ''}`;
  }
}

function equal(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
