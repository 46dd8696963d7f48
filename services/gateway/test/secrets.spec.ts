import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import type { CreateEndpointRequest, CreateKeyRequest } from '@na/contracts';
import { parseKey } from '../src/auth/key-material.js';
import { GatewayBed, type TestKey } from './gateway.bed.js';

let gateway: GatewayBed;
let key: TestKey;
beforeAll(async () => {
  gateway = await GatewayBed.start();
  key = gateway.newKey({ expiresAt: new Date('2099-01-01T00:00:00Z') });
});
afterAll(() => gateway.stop());

test('a new key is shown once, and only its digest leaves the gateway', async () => {
  const { status, body } = await gateway.post('/api/v1/keys', { name: 'CI', scopes: ['pages:read'], expires_at: '2098-01-01T00:00:00+01:00' }, key.headers);
  const asked = gateway.state.asked.at(-1) as CreateKeyRequest;
  const secret = body.secret.slice(-49, -6);
  const shown = { id: asked.id, name: 'CI', scopes: ['pages:read'], last_four: body.secret.slice(-4), expires_at: '2097-12-31T23:00:00.000Z' };
  expect([status, body]).toMatchObject([201, shown]);
  expect(parseKey(body.secret)?.keyId).toBe(asked.id);
  expect(Buffer.from(asked.secretDigest)).toEqual(createHash('sha256').update(secret).digest());
  expect(Buffer.from(JSON.stringify(asked, (_, value) => (typeof value === 'bigint' ? String(value) : value))).toString()).not.toContain(secret);
});

test('key-management is told which key calls, from where, and not what it may do: that it looks up itself', async () => {
  await gateway.post('/api/v1/keys', { name: 'CI', access: 'read_only', expires_at: '2098-01-01T00:00:00Z' }, key.headers);
  const asked = gateway.state.asked.at(-1) as CreateKeyRequest;
  expect(asked).toMatchObject({ callerScopes: [] });
  expect(asked).not.toHaveProperty('callerExpiresAt');
  expect(asked.caller).toMatchObject({ workspaceId: key.workspaceId, actor: key.id, address: '127.0.0.1', requestId: expect.stringMatching(/^req_/) });
  expect([asked.workspaceId, asked.scopes]).toEqual([key.workspaceId, expect.arrayContaining(['pages:read', 'webhooks:read'])]);
});

test('a key is given by a preset or by a list of scopes, one of the two', async () => {
  const errors = async (wanted: object) => {
    const { body } = await gateway.post('/api/v1/keys', { name: 'CI', ...wanted }, key.headers);
    return body.errors.map(({ pointer }: { pointer: string }) => pointer);
  };
  expect(await errors({})).toEqual(['/access']);
  expect(await errors({ access: 'read_only', scopes: ['pages:read'] })).toEqual(['/scopes']);
  expect(await errors({ scopes: ['pages:read', 'pages:fly'] })).toEqual(['/scopes/1']);
});

test('a key sees itself', async () => {
  const { body } = await gateway.get('/api/v1/keys/current', key.headers);
  expect(body).toMatchObject({ id: key.id, scopes: key.scopes });
});

test('the secret of a new webhook crosses the bus sealed and is shown once', async () => {
  const wanted = { url: 'https://example.com/hook', event_types: ['goal.*'], retry_policy: { max_attempts: 3 } };
  const { status, body } = await gateway.post('/api/v1/webhooks', wanted, key.headers);
  expect([status, body]).toMatchObject([201, { url: wanted.url, event_types: ['goal.*'], secret: 'whsec_of_this_test' }]);
  const { retryPolicy, timeoutMs } = gateway.state.asked.at(-1) as CreateEndpointRequest;
  expect([retryPolicy, timeoutMs]).toMatchObject([{ baseSeconds: 5, factor: 4, maxSeconds: 43_200, maxAttempts: 3 }, undefined]);
});

test('the bounds of a webhook are kept', async () => {
  const policy = { base_seconds: 0, factor: 11, max_seconds: 86_401, max_attempts: 31 };
  const wanted = { url: 'ftp://example.com', event_types: [], retry_policy: policy, timeout_ms: 999 };
  const { body } = await gateway.post('/api/v1/webhooks', wanted, key.headers);
  const pointers = body.errors.map(({ pointer }: { pointer: string }) => pointer);
  const ofPolicy = ['base_seconds', 'factor', 'max_attempts', 'max_seconds'].map((field) => `/retry_policy/${field}`);
  expect(pointers.sort()).toEqual(['/event_types', ...ofPolicy, '/timeout_ms', '/url']);
});
