// The headers that requests and answers of many operations share, as components. Pure.
import type { JsonObject } from '@na/contracts';
import { typeIdSuffix } from '../auth/type-id.js';

const text = { type: 'string' };

const workspaceId = {
  name: 'X-Workspace-Id',
  in: 'header',
  schema: { type: 'string', pattern: `^ws_${typeIdSuffix}$` },
  example: 'ws_01jq8x3v6kf5hs2m9rb4cn7dth',
};

export const sharedParameters = {
  WorkspaceId: { ...workspaceId, required: true, description: 'The workspace that the request is about: the one the key belongs to.' },
  WorkspaceIdOptional: { ...workspaceId, description: 'The workspace that the request is about. May be left out here: a key knows its own, and the operator sees all.' },
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'Names this request, bare or in quotes: the same request sent again within 24 hours with the same key is not carried out again, but answered as ' +
      'the first one was, with `Idempotency-Replayed: true` and without secrets. Where the first one ended in a 5xx or without an answer, it is carried out ' +
      'and finds what was done already. A new UUID for each thing to be done is a good choice.',
    schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' },
    example: '8e03978e-40d5-43dd-bc93-6894a57f9324',
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    description: 'The `ETag` of the version that this change is for. If the thing has changed since, the answer is 412 and nothing is done. Without it the change is made whatever the thing is like.',
    schema: text,
    example: '"JO0v8C4kJ9gKb1q2T7f3sXyZaBc"',
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description: 'The `ETag` of the version at hand: if that is still the current one, the answer is 304 without a body.',
    schema: text,
    example: '"JO0v8C4kJ9gKb1q2T7f3sXyZaBc"',
  },
} satisfies Record<string, JsonObject>;

export type SharedParameter = keyof typeof sharedParameters;

export const sharedHeaders = {
  RequestId: { description: 'Names this request in our logs: give it when you ask about one.', schema: text, example: 'req_01jq8x3v6kf5hs2m9rb4cn7dtx' },
  RateLimitPolicy: { description: 'How many requests (`q`) the key may make in each window of `w` seconds.', schema: text, example: '"default";q=600;w=60' },
  RateLimit: { description: 'How many requests remain (`r`) in this window, which ends in `t` seconds.', schema: text, example: '"default";r=597;t=42' },
  RetryAfter: { description: 'Seconds to wait before trying again.', schema: { type: 'integer', minimum: 0 }, example: 2 },
  WWWAuthenticate: {
    description: 'How to come back (RFC 6750): without a parameter when no key was sent, else why the one sent does not do.',
    schema: text,
    example: 'Bearer realm="api", error="invalid_token"',
  },
  ETag: { description: 'The version of the thing, for `If-Match` and `If-None-Match`.', schema: text, example: '"JO0v8C4kJ9gKb1q2T7f3sXyZaBc"' },
  Location: { description: 'Where what was made can be read.', schema: { type: 'string', format: 'uri-reference' }, example: '/api/v1/pages/page_01jq8x3v6kf5hs2m9rb4cn7dtj' },
  IdempotencyReplayed: { description: '`true` when this is the answer that a request with the same Idempotency-Key got before.', schema: { const: 'true' }, example: 'true' },
} satisfies Record<string, JsonObject>;

const headerNames: Partial<Record<SharedHeader, string>> = {
  RequestId: 'X-Request-Id',
  RateLimitPolicy: 'RateLimit-Policy',
  RetryAfter: 'Retry-After',
  WWWAuthenticate: 'WWW-Authenticate',
  IdempotencyReplayed: 'Idempotency-Replayed',
};

export type SharedHeader = keyof typeof sharedHeaders;

export function headerRefs(...headers: SharedHeader[]): JsonObject {
  return Object.fromEntries(headers.map((header) => [headerNames[header] ?? header, { $ref: `#/components/headers/${header}` }]));
}
