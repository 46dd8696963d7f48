// What of a request may stand in a span. Callers put API keys into queries and wherever else they don't belong, and the
// addresses of webhooks carry tokens in path and query: those are secrets, and whoever reads traces must not learn them. Pure.
import type { IncomingMessage } from 'node:http';
import type { Attributes } from '@opentelemetry/api';
import { redact } from '../redact.js';

/**
 * For a request that comes in. Whose it is and whom it was meant for is taken from headers that anybody may send: the log line
 * of a request has the address that is believed. An attribute that is undefined is left out of the span.
 */
export function withoutSecrets({ url = '', headers }: Pick<IncomingMessage, 'url' | 'headers'>): Attributes {
  return {
    'url.path': redact(url.split('?', 1)[0]!),
    'url.query': undefined,
    'user_agent.original': headers['user-agent'] && redact(headers['user-agent']),
    'client.address': undefined,
    'server.address': undefined,
  };
}

/** For a request that goes out: scheme, host and port. */
export function originOnly(origin: string | URL): Attributes {
  return { 'url.full': new URL(origin).origin, 'url.path': undefined, 'url.query': undefined };
}

/** For a request of Node's own client: `server.address` and `server.port` say where it went. */
export function withoutUrl(): Attributes {
  return { 'url.full': undefined };
}
