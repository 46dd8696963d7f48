// What the reference says of /api/v1/keys.
import { KeySchema, scopes } from '@na/contracts';
import { z } from 'zod';
import { extended, listOf, thing } from '../openapi/answer.js';
import { at, exampleId } from '../openapi/examples.js';
import { operations, type Tag } from '../openapi/operation.js';
import { zodJsonSchema } from '../openapi/zod-json-schema.js';
import { keyStatus } from './keys.schema.js';

export const keysTag: Tag = {
  name: 'Keys',
  description:
    'API keys of a workspace: narrow, limited in time and place, and revocable at once. A key can not make one that may do more, or lives longer, than itself. ' +
    'Their secrets are shown once, and only by the request that made them.',
};

const key = thing(
  'Key',
  'An API key, without its secret.',
  KeySchema,
  {
    id: exampleId('key'),
    workspaceId: exampleId('ws'),
    name: 'Nightly import',
    scopes: ['pages:read', 'reports:read'],
    status: 'active',
    lastFour: 'x7Qf',
    createdAt: at('2026-03-01T12:00:00.000Z'),
    expiresAt: at('2099-03-01T00:00:00.000Z'),
    allowedIps: ['203.0.113.0/24'],
    rateLimit: { limit: 120, windowSeconds: 60 },
  },
  { status: zodJsonSchema(keyStatus, 'output'), scopes: { type: 'array', items: { type: 'string', enum: [...scopes] } } },
);

/** Its checksum is wrong, so that no scanner takes it for a leak. */
export const exampleCredential = 'nak_01jq8x3v6kf5hs2m9rb4cn7dtg_0yRX6Yk6qd5cYV0Zr8lmHhPz4Yw2DkS3uTn1Qe9aBcD1x7Qf';

const keyWithSecret = extended(
  key,
  'KeyWithSecret',
  'An API key with its secret: keep it now, it is shown this once.',
  z.object({
    secret: z.string().nullable().describe('The whole key, as it is sent in `Authorization`; null in an answer that is repeated for its Idempotency-Key, and in a second try of a request that was carried out: rotate the key then.'),
  }),
  { secret: exampleCredential },
);

export const keyOperations = operations({
  create: {
    id: 'createKey',
    summary: 'Create a key',
    description:
      'Say what it may do by a preset, `access`, or by a list of `scopes`. A workspace has a most of keys that are neither revoked nor expired ' +
      '(1,000 unless the operator set another): beyond it the answer is 409 until one is revoked.',
    answer: keyWithSecret,
    bodies: {
      preset: { name: 'Dashboard', access: 'read_only' },
      scopes: {
        name: 'Nightly import',
        scopes: ['pages:read', 'reports:read'],
        expires_at: '2099-03-01T00:00:00Z',
        allowed_ips: ['203.0.113.0/24', '2001:db8::/32'],
        rate_limit: { limit: 120, window_seconds: 60 },
      },
    },
    // Of the workspace, which the operator may have slipped in.
    problems: ['conflict', 'not_found'],
  },
  list: { id: 'listKeys', summary: 'List keys', answer: listOf(key), query: { status: 'active', name: 'import' }, problems: ['not_found'] },
  current: { id: 'getCurrentKey', summary: 'Read the calling key', description: 'What the key of this request may do.', answer: key, problems: ['not_found'] },
  get: { id: 'getKey', summary: 'Read a key', answer: key },
  update: {
    id: 'updateKey',
    summary: 'Change a key',
    description:
      'A JSON merge patch (RFC 7396): what is not named stays, and null takes a limit away. `disabled` stops a key for a while. What makes a key narrower ' +
      'has answered when every gateway goes by it. A revoked key can not be changed.',
    answer: key,
    bodies: { rename: { name: 'Nightly export' }, disable: { disabled: true }, narrow: { scopes: ['pages:read'], expires_at: '2098-03-01T00:00:00Z' } },
    problems: ['conflict'],
  },
  rotate: {
    id: 'rotateKey',
    summary: 'Rotate a key',
    description:
      'A new secret for the same key. The one before works until the overlap ends, to the millisecond, and never past the expiry of the key. ' +
      'With an overlap of 0 it works nowhere any more when this has answered. There are at most two: rotating again ends the older one.',
    answer: keyWithSecret,
    body: { overlap_seconds: 3_600 },
    problems: ['conflict'],
  },
  revoke: {
    id: 'revokeKey',
    summary: 'Revoke a key',
    description: 'For good. When this has answered, no gateway accepts the key any more. It stays listed.',
    answer: key,
  },
});
