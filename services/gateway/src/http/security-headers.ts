// The headers of every answer that keep browsers from doing with it what it is not for. Pure.

/** A year, in seconds: a browser that has been here once comes by TLS only. */
const hstsSeconds = 31_536_000;

/** @param publicUrl says whether TLS ends before or at this server: Strict-Transport-Security over plain HTTP means nothing */
export function securityHeaders(publicUrl: string): Record<string, string> {
  return {
    'x-content-type-options': 'nosniff',
    'content-security-policy': `default-src 'none'; frame-ancestors 'none'`,
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'cache-control': 'no-store',
    ...(publicUrl.startsWith('https:') && { 'strict-transport-security': `max-age=${hstsSeconds}` }),
  };
}
