// What a request is sent to. Its target (RFC 9112, section 3.2) may name a scheme and a host besides, as to a proxy: the router
// leaves those out of account, and they are the client's to choose, so nothing here may go by them or say them again. Pure.

interface Sent {
  /** The target as it was sent. */
  url: string;
}

const schemeAndHost = /^https?:\/\/[^/?#]*/i;

/** The path and, where there is one, the query, as they were sent. */
export function targetOf({ url }: Sent): string {
  const target = url.replace(schemeAndHost, '');
  return target === url || target.startsWith('/') ? target : `/${target}`;
}

/** What routes are told apart by. */
export function pathOf(sent: Sent): string {
  return targetOf(sent).split(/[?#]/, 1)[0]!;
}
