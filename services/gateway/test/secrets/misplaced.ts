// Requests that carry a secret where it does not belong. None of them does anything.
import type { Request } from './recording-client.js';

type Misplaced = [method: string, path: string, request: Request];

/** Bodies that are no JSON, or not what the route takes, so that their faults are told. */
function bodiesWith(secret: string): [path: string, body: unknown][] {
  const keys = [`{"name": "${secret}`, secret, { [secret]: 1 }, { name: { [secret]: 1 }, access: secret }, { name: 'x', scopes: [secret] }];
  const limits = [{ expires_at: secret }, { allowed_ips: [secret] }, { rate_limit: { [secret]: secret } }];
  const url = 'https://example.com/hook';
  const webhooks = [{ url: secret }, { url: `https://a:${secret}@example.com/`, event_types: ['*'] }, { url, event_types: [secret] }];
  const hits = [[{ [secret]: 1 }], [{ page_id: secret, type: secret, visitor: { id: 'x' } }], secret];
  return [
    ...keys.map((body) => ['/keys', body] as [string, unknown]),
    ...limits.map((limit) => ['/keys', { name: 'x', access: 'read_only', ...limit }] as [string, unknown]),
    ...webhooks.map((webhook) => ['/webhooks', { event_types: ['*'], ...webhook }] as [string, unknown]),
    ...hits.map((each) => ['/track', { hits: each }] as [string, unknown]),
    ['/keys/leaked', { [secret]: [secret] }],
  ];
}

const queriesWith = (secret: string) => ['api_key', 'status', 'cursor', 'limit', 'expires_before', secret].map((name) => `/keys?${encodeURIComponent(name)}=${encodeURIComponent(secret)}`);

const pathsWith = (secret: string) =>
  ['/keys/', '/webhooks/', '/deliveries/', '/', '/../../problems/', '/../../'].map((folder) => `${folder}${encodeURIComponent(secret)}`);

/** Read by nobody, or by somebody who expects something else in them. */
const headerNames = [
  'x-api-key', 'x-request-id', 'x-workspace-id', 'x-forwarded-for', 'if-match', 'if-none-match', 'idempotency-key', 'cookie', 'user-agent', 'accept',
  'content-type', 'content-encoding', 'traceparent', 'origin', 'referer', 'forwarded', 'x-forwarded-host',
];

function headersWith(secret: string): Record<string, string>[] {
  const carriedOn = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: `key=${secret.replaceAll('=', '')}`, baggage: `key=${encodeURIComponent(secret)}` };
  return [...headerNames.map((name) => ({ [name]: secret })), carriedOn, { [secret.replace(/[^\w-]/g, '')]: '1' }, { authorization: `Basic ${btoa(`x:${secret}`)}` }];
}

/** Requests of a caller with these headers, each of which holds the secret somewhere. */
export function misplaced(secret: string, headers: Record<string, string>): Misplaced[] {
  return [
    ...bodiesWith(secret).map(([path, body]) => ['POST', path, { headers, body }] as Misplaced),
    ...[...queriesWith(secret), ...pathsWith(secret)].map((path) => ['GET', path, { headers }] as Misplaced),
    ...['rotate', secret].map((action) => ['POST', `/keys/${encodeURIComponent(secret)}/${encodeURIComponent(action)}`, { headers }] as Misplaced),
    ...headersWith(secret).map((wrong) => ['POST', '/keys', { headers: { ...headers, ...wrong }, body: { name: 1 } }] as Misplaced),
  ];
}
