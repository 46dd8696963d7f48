// What of a URL may stand in a span. Callers put API keys into queries, and the addresses of webhooks carry tokens in path
// and query: those are secrets, and whoever reads traces must not learn them. Pure.
import type { Attributes } from '@opentelemetry/api';

/** For a request that comes in. The path is the API's own. An attribute that is undefined is left out of the span. */
export function withoutQuery(): Attributes {
  return { 'url.query': undefined };
}

/** For a request that goes out: scheme, host and port. */
export function originOnly(origin: string | URL): Attributes {
  return { 'url.full': new URL(origin).origin, 'url.path': undefined, 'url.query': undefined };
}

/** For a request of Node's own client: `server.address` and `server.port` say where it went. */
export function withoutUrl(): Attributes {
  return { 'url.full': undefined };
}
