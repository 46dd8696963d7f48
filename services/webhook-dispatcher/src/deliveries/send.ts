// The only place that opens a socket to a customer. Never throws for what the customer's server does.
import type { BlockList } from 'node:net';
import type { Dispatcher } from 'undici';
import { AddressBlockedError, guardedAgent, tellStart, type RequestWithStart } from './guarded-agent.js';

/** Why an attempt got no complete answer. A closed list, shown in the delivery table. */
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
  /** Nothing was sent: the endpoint's secret could not be opened. The operator's logs say why. */
  | 'secret_unavailable'
  | 'network_error';

/** Where the time of an attempt went, in milliseconds from its start. Unset where it did not come to that. */
export interface Phases {
  /** A connection was there and the request began to be sent. */
  connectedMs?: number;
  /** The head of the answer was there. */
  headMs?: number;
}

export type Outcome = { durationMs: number; phases: Phases } & (
  | { kind: 'answered'; status: number; headers: Record<string, string>; body: string }
  | { kind: 'unanswered'; error: SendError }
);

export interface WebhookRequest {
  url: string;
  headers: Record<string, string>;
  body: Buffer;
  /** For the whole exchange, response body included. */
  timeoutMs: number;
}

export type Send = (request: WebhookRequest) => Promise<Outcome>;

const readBytes = 64 * 1024;
const keptBytes = 16 * 1024;

export class Sender {
  private readonly dispatcher: Dispatcher;

  constructor(allowed: BlockList) {
    this.dispatcher = guardedAgent(allowed).compose(tellStart);
  }

  readonly send: Send = async (request) => {
    const start = performance.now();
    const phases: Phases = {};
    const elapsedMs = () => Math.round((performance.now() - start) * 1_000) / 1_000;
    const note = (phase: keyof Phases) => (phases[phase] = elapsedMs());
    try {
      const answer = await this.exchange(request, note);
      return { ...answer, phases, durationMs: elapsedMs() };
    } catch (error) {
      return { kind: 'unanswered', error: classify(error), phases, durationMs: elapsedMs() };
    }
  };

  async close(): Promise<void> {
    await this.dispatcher.close();
  }

  private async exchange({ url, headers, body, timeoutMs }: WebhookRequest, note: (phase: keyof Phases) => void) {
    const { origin, pathname, search } = new URL(url);
    const request: RequestWithStart = {
      origin,
      path: pathname + search,
      method: 'POST',
      headers,
      body,
      signal: AbortSignal.timeout(timeoutMs),
      onStart: () => note('connectedMs'),
    };
    const response = await this.dispatcher.request(request);
    note('headMs');
    return {
      kind: 'answered' as const,
      status: response.statusCode,
      headers: flatten(response.headers),
      body: readable(await readUpTo(readBytes, response.body)),
    };
  }
}

/** Stops reading at the limit and lets go of the connection: a longer answer is not an error, only not read. */
async function readUpTo(limit: number, body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= limit) break;
  }
  return Buffer.concat(chunks).subarray(0, keptBytes);
}

/** PostgreSQL's text takes no NUL; what is not UTF-8 is shown as replacement characters. */
function readable(bytes: Buffer): string {
  return bytes.toString('utf8').replaceAll('\0', '\u2400');
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]));
}

const errorsByCode: [RegExp, SendError][] = [
  [/^(ENOTFOUND|EAI_\w+|ENODATA|ESERVFAIL)$/, 'dns_error'],
  [/^ECONNREFUSED$/, 'connection_refused'],
  [/^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/, 'connection_reset'],
  [/^(EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/, 'host_unreachable'],
  [/^(UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/, 'timeout'],
  [/^UND_ERR_HEADERS_OVERFLOW$/, 'response_too_large'],
  [/^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO)/, 'tls_error'],
];

export function classify(error: unknown): SendError {
  if (error instanceof AddressBlockedError) return 'address_blocked';
  const { name, code = '', cause } = error as { name?: string; code?: string; cause?: unknown };
  if (name === 'TimeoutError') return 'timeout';
  // Not every parser error carries its HPE_ code, and a status such as 099 fails an assertion inside undici.
  if (name === 'HTTPParserError' || name === 'AssertionError') return 'malformed_response';
  // A name with several addresses fails with one error for each; the first tells as much as all.
  if (error instanceof AggregateError && error.errors.length > 0) return classify(error.errors[0]);
  const known = errorsByCode.find(([pattern]) => pattern.test(code));
  if (known) return known[1];
  return cause === undefined ? 'network_error' : classify(cause);
}
