// Why an attempt got no complete answer: the closed list that the delivery table shows, and what each failure of DNS, TCP,
// TLS, HTTP or the proxy means in it. Pure.

/** docs/webhooks.md explains each to those who receive webhooks. */
export type SendError =
  | 'dns_error'
  | 'connection_refused'
  | 'connection_reset'
  | 'host_unreachable'
  | 'tls_error'
  | 'timeout'
  | 'address_blocked'
  | 'malformed_response'
  | 'response_too_large'
  /** The operator's egress proxy could not be reached, or would not do it. */
  | 'proxy_error'
  /** Nothing was sent: the endpoint's secret could not be opened. The operator's logs say why. */
  | 'secret_unavailable'
  | 'network_error';

/** What kept us from sending anything, and is no one's fault but ours. */
const ourFaults: (string | undefined)[] = ['proxy_error', 'secret_unavailable'] satisfies SendError[];

/** @param error a SendError, or what an attempt without one has */
export function isOurFault(error: string | undefined): boolean {
  return ourFaults.includes(error);
}

/** A failure that this code found itself. The message is for the operator's log. */
export class SendFailure extends Error {
  override readonly name = 'SendFailure';

  constructor(
    readonly meaning: SendError,
    message: string,
  ) {
    super(message);
  }
}

const meaningsByCode: [RegExp, SendError][] = [
  [/^(ENOTFOUND|EAI_\w+)$/, 'dns_error'],
  [/^ECONNREFUSED$/, 'connection_refused'],
  [/^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/, 'connection_reset'],
  [/^(EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/, 'host_unreachable'],
  [/^(UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/, 'timeout'],
  [/^UND_ERR_HEADERS_OVERFLOW$/, 'response_too_large'],
  [/^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO)/, 'tls_error'],
];

/** @param hasHead whether the head of the answer had come in before it failed */
export function meaningOf(error: unknown, hasHead = false): SendError {
  if (error instanceof SendFailure) return error.meaning;
  const { name, code = '', syscall = '', cause } = error as { name?: string; code?: string; syscall?: string; cause?: unknown };
  if (name === 'TimeoutError') return 'timeout';
  // Both ways to resolve a name: ECONNREFUSED and ETIMEOUT of c-ares are of the name server.
  if (/^(query[A-Z]|getaddrinfo)/.test(syscall)) return 'dns_error';
  if (isNotHttp(error as Error, hasHead)) return 'malformed_response';
  // The connection was closed before as much had come as Content-Length says.
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') return 'connection_reset';
  // A name with several addresses fails with one error for each; the first tells as much as all.
  if (error instanceof AggregateError && error.errors.length > 0) return meaningOf(error.errors[0]);
  const known = meaningsByCode.find(([pattern]) => pattern.test(code));
  if (known) return known[1];
  return cause === undefined ? 'network_error' : meaningOf(cause);
}

/**
 * Not every parser error carries its HPE_ code; a status such as 099 fails an assertion inside undici; a head that breaks off
 * behind its Content-Length is reported as a mismatch; and an answer nobody asked for (100, 101) as a broken socket.
 */
function isNotHttp({ name, message, code }: Error & { code?: string }, hasHead: boolean): boolean {
  if (name === 'HTTPParserError' || name === 'AssertionError') return true;
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') return !hasHead;
  return code === 'UND_ERR_SOCKET' && /^bad (response|upgrade)$/.test(message);
}
