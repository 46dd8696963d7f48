// Walks through every operation of the OpenAPI document, on the four processes as they run in a deployment: with what must be
// refused, and with the examples, which must work. It knows no route by itself: what comes into the document is walked.
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventExamples, eventTypes, scopes } from '@na/contracts';
import { eventually, TestSystem, WebhookReceiver } from '@na/testing';
import { typeid } from 'typeid-js';
import { makeKey } from '../src/auth/key-material.js';
import { expectAsDocumented, expectProblem, faultsOf, fieldsOf, type Answer } from './walk/conformity.js';
import { document, operations, publicUrl, resolved, type DescribedOperation, type Json } from './walk/described-operations.js';
import { prefixesIn, Tenant, type Sent } from './walk/tenant.js';

/** What a thing made from an example does by itself meanwhile: an empty replay is completed before it can be cancelled. */
const mayBeOver = ['POST /api/v1/webhooks/{webhookId}/replays/{id}/cancel'];

let system: TestSystem;
let owner: Tenant;
let stranger: Tenant;
/** Secrets that open nothing, and why. */
let useless: [why: string, secret: string][];

beforeAll(async () => {
  system = await TestSystem.start({ PUBLIC_URL: publicUrl, RATE_LIMIT: '100000', FAILED_CREDENTIALS_PER_MINUTE: '100000' });
  [owner, stranger] = await Promise.all([Tenant.create(system), Tenant.create(system)]);
  useless = await uselessSecrets(owner);
}, 60_000);
afterAll(() => system.stop());

async function uselessSecrets(tenant: Tenant): Promise<[string, string][]> {
  const wanted = { scopes: [...scopes] };
  const [expiring, revoked, disabled, early] = await Promise.all([
    tenant.newKey({ ...wanted, expires_at: new Date(Date.now() + 3_000).toISOString() }),
    tenant.newKey(wanted),
    tenant.newKey(wanted),
    tenant.newKey({ ...wanted, not_before: '2099-01-01T00:00:00Z' }),
  ]);
  const own = { token: tenant.token, workspaceId: tenant.workspaceId };
  await system.api('DELETE', `/keys/${revoked.id}`, own);
  await system.api('PATCH', `/keys/${disabled.id}`, own, { disabled: true });
  await eventually(async () => expect((await system.api('GET', '/keys/current', { ...own, token: expiring.secret })).status).toBe(401));
  return [
    ['garbage', 'nak_garbage'],
    ['of another form', 'eyJhbGciOiJIUzI1NiJ9.e30.x'],
    ['mistyped', `${tenant.token.slice(0, -1)}${tenant.token.endsWith('a') ? 'b' : 'a'}`],
    ['with a wrong secret', makeKey(tenant.keyId, randomBytes(32)).credential],
    ['unknown', makeKey(typeid('key').toString(), randomBytes(32)).credential],
    ['expired', expiring.secret],
    ['revoked', revoked.secret],
    ['disabled', disabled.secret],
    ['not valid yet', early.secret],
  ];
}

const named = (wanted: (operation: DescribedOperation) => unknown = () => true) => operations.filter(wanted).map((operation) => [operation.name, operation] as const);
const isGuarded = ({ access }: DescribedOperation) => access !== 'public';

/** Ids that are well formed and of nothing: a request that gets past what is tested meets nothing. */
function unknownIds({ ids, body }: DescribedOperation): Record<string, string> {
  const prefixes = [...ids.map(([, prefix]) => prefix), ...prefixesIn(body?.examples)];
  return Object.fromEntries(prefixes.map((prefix) => [prefix, typeid(prefix).toString()]));
}

/** As the owner would ask, of nothing that exists. */
function ask(operation: DescribedOperation, sent: Sent = {}): Promise<Answer> {
  return owner.call(operation, { ids: unknownIds(operation), body: operation.body?.examples[0]?.[1], ...sent });
}

function without(name: string, headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([own]) => own !== name));
}

test('the document that is served is the one that is walked through', async () => {
  const response = await fetch(`${system.gatewayUrl}/api/v1/openapi.json`);
  expect(await response.json()).toEqual(document);
  expect(operations.length).toBeGreaterThan(35);
});

test.each(named(isGuarded))('%s is for nobody without a key that is valid', async (_name, operation) => {
  const headers = without('authorization', owner.headersFor(operation));
  const anonymous = await ask(operation, { headers });
  expectProblem(operation, anonymous, 401, 'unauthenticated');
  expect(anonymous.headers.get('www-authenticate')).toBe('Bearer realm="api"');
  const refusals = await Promise.all(useless.map(([, secret]) => ask(operation, { headers: { ...headers, authorization: `Bearer ${secret}` } })));
  for (const refusal of refusals) {
    expectProblem(operation, refusal, 401, 'unauthenticated');
    expect(refusal.headers.get('www-authenticate')).toBe('Bearer realm="api", error="invalid_token"');
  }
  // To whoever does not own the key, all of them look alike.
  expect(new Set(refusals.map(({ body }) => JSON.stringify({ ...body, request_id: '' }))).size).toBe(1);
});

test.each(named(({ access }) => access === 'key'))('%s is refused for another workspace than that of the key, and without one', async (_name, operation) => {
  const headers = owner.headersFor(operation);
  const unnamed = without('x-workspace-id', headers);
  const mismatch = await ask(operation, { headers: { ...headers, 'x-workspace-id': stranger.workspaceId } });
  expectProblem(operation, mismatch, 403, 'workspace_mismatch');
  expect(mismatch.headers.has('ratelimit')).toBe(true);
  if (!operation.needsWorkspace) return;
  expectProblem(operation, await ask(operation, { headers: unnamed }), 400, 'workspace_required');
  expectProblem(operation, await ask(operation, { headers: { ...unnamed, 'x-workspace-id': 'acme' } }), 400, 'workspace_required');
});

test.each(named(({ scope }) => scope))('%s is refused to a key that has every scope but the one it needs', async (_name, operation) => {
  const { secret } = await owner.newKey({ scopes: scopes.filter((scope) => scope !== operation.scope) });
  const refusal = await ask(operation, { headers: { ...owner.headersFor(operation), authorization: `Bearer ${secret}` } });
  expectProblem(operation, refusal, 403, 'insufficient_scope');
  expect(refusal.headers.get('www-authenticate')).toContain(`scope="${operation.scope}"`);
});

test.each(named(({ scope }) => scope?.endsWith(':write')))('%s is refused to a key that may only read', async (_name, operation) => {
  const { secret } = await owner.newKey({ access: 'read_only' });
  expectProblem(operation, await ask(operation, { headers: { ...owner.headersFor(operation), authorization: `Bearer ${secret}` } }), 403, 'insufficient_scope');
});

test.each(named(({ access }) => access === 'operator'))('%s is refused to every key', async (_name, operation) => {
  const headers = { authorization: `Bearer ${owner.token}`, 'x-workspace-id': owner.workspaceId };
  expectProblem(operation, await ask(operation, { headers }), 403, 'insufficient_scope');
});

/** A value that the schema does not allow, or nothing where it allows every text. */
function wrongValue(schema: Json): string | undefined {
  const { type, enum: values, pattern, format, minLength } = resolved(schema);
  if (type === 'integer' || values || pattern || format) return 'not-a-value';
  return minLength > 0 ? '' : undefined;
}

test.each(named())('%s says which query parameters it does not know or understand', async (_name, operation) => {
  const unknown = await ask(operation, { query: '?unknown_parameter=1' });
  expectProblem(operation, unknown, 400, 'invalid_request');
  expect(fieldsOf(unknown)).toEqual(['/unknown_parameter unknown_field']);
  for (const { name, schema } of operation.query) {
    const wrong = wrongValue(schema);
    if (wrong === undefined) continue;
    const refusal = await ask(operation, { query: `?${name}=${wrong}` });
    expectProblem(operation, refusal, 400, 'invalid_request');
    expect(fieldsOf(refusal)).toEqual([expect.stringMatching(`^/${name} `)]);
  }
});

test.each(named(({ body }) => body))('%s says which fields of a body it does not know or understand', async (_name, operation) => {
  for (const [, example] of operation.body!.examples) {
    const unknown = await ask(operation, { body: { ...example, unknown_field: 1 } });
    expectProblem(operation, unknown, 400, 'invalid_request');
    expect(fieldsOf(unknown)).toContain('/unknown_field unknown_field');
    for (const [field, value] of Object.entries(example)) {
      const refusal = await ask(operation, { body: { ...example, [field]: typeof value === 'string' || typeof value === 'boolean' ? 17 : 'text' } });
      expectProblem(operation, refusal, 400, 'invalid_request');
      expect(fieldsOf(refusal)).toEqual(expect.arrayContaining([expect.stringMatching(`^/${field} `)]));
    }
  }
});

test.each(named(({ body }) => body))('%s takes nothing but JSON of at most 1 MiB', async (_name, operation) => {
  const { isRequired, examples } = operation.body!;
  const headers = owner.headersFor(operation);
  for (const body of ['{', '[]', '"text"', '17', 'null']) expectProblem(operation, await ask(operation, { body }), 400, 'invalid_request');
  if (isRequired) expectProblem(operation, await ask(operation, { body: '' }), 400, 'invalid_request');
  expectProblem(operation, await ask(operation, { body: 'a=1', headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' } }), 415, 'unsupported_media_type');
  expectProblem(operation, await ask(operation, { body: JSON.stringify(examples[0]![1]).padEnd(1024 * 1024 + 1) }), 413, 'payload_too_large');
});

test.each(named(({ body }) => !body))('%s takes no body', async (_name, operation) => {
  if (operation.method === 'GET') return;
  const refusal = await ask(operation, { body: { unknown_field: 1 } });
  expectProblem(operation, refusal, 400, 'invalid_request');
  expect(fieldsOf(refusal)).toEqual(['/unknown_field unknown_field']);
});

/** What is left of an answer when ids and times are taken out of account. */
function shape({ status, body }: Answer): string {
  return `${status} ${JSON.stringify(body).replaceAll(/\b[a-z]+_[0-9a-hjkmnp-tv-z]{26}\b/g, 'id').replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'time')}`;
}

test.each(named(({ ids, body, access }) => access === 'key' && (ids.length > 0 || prefixesIn(body?.examples).length > 0)))(
  '%s answers for a thing of another workspace as for one that does not exist',
  async (_name, operation) => {
    const examples = operation.body?.examples ?? [];
    const body = (examples.find(([, example]) => prefixesIn(example).length > 0) ?? examples[0])?.[1];
    const foreign = await stranger.call(operation, { body, ids: await owner.thingsFor(operation, body) });
    const unknown = await stranger.call(operation, { body, ids: unknownIds(operation) });
    expect(shape(foreign)).toBe(shape(unknown));
    expectProblem(operation, foreign, 404, 'not_found');
    if (operation.ids.length > 0) {
      expectProblem(operation, await stranger.call(operation, { body, ids: Object.fromEntries(operation.ids.map(([, prefix]) => [prefix, 'not-an-id'])) }), 404, 'not_found');
    }
  },
);

const steps = operations.flatMap((operation) => (operation.body?.examples ?? [['', undefined] as [string, Json]]).map(([example, body]) => [operation.name, example, operation, body] as const));

test.each(steps)('%s does what its example asks for, and answers as documented: %s', async (name, _example, operation, body) => {
  const tenant = await Tenant.create(system);
  const headers = { ...tenant.headersFor(operation), ...(operation.headers.includes('Idempotency-Key') && { 'idempotency-key': randomUUID() }) };
  const ids = await tenant.thingsFor(operation, body);
  const done = await whenSettled(() => tenant.call(operation, { body, headers, ids }));
  if (done.status === 409 && mayBeOver.includes(name)) return expectProblem(operation, done, 409, 'conflict');
  expect({ status: done.status, body: done.status < 300 || done.body }).toEqual({ status: expect.any(Number), body: true });
  expectAsDocumented(operation, done);
  if (operation.access === 'key') expect([done.headers.get('ratelimit'), done.headers.get('ratelimit-policy')]).toEqual([expect.stringMatching(/^"default";r=\d+;t=\d+$/), '"default";q=100000;w=60']);
  if (headers['idempotency-key']) await expectReplay(tenant, operation, done, { body, headers, ids });
});

/** What is under way for a moment, such as an attempt at a delivery, is in conflict for as long. */
async function whenSettled(call: () => Promise<Answer>): Promise<Answer> {
  let last: Answer | undefined;
  const settle = async () => {
    last = await call();
    if (last.status === 409) throw new Error('not settled yet');
    return last;
  };
  return eventually(settle, 3_000).catch(() => last!);
}

async function expectReplay(tenant: Tenant, operation: DescribedOperation, first: Answer, sent: Sent): Promise<void> {
  const again = await tenant.call(operation, sent);
  expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([first.status, 'true']);
  expect(again.body).toEqual('secret' in first.body ? { ...first.body, secret: null } : first.body);
  expectAsDocumented(operation, again);
  const other = await tenant.call(operation, { ...sent, query: '?another=request' });
  expectProblem(operation, other, 422, 'idempotency_key_reused');
}

test.each(named(({ query }) => query.some(({ example }) => example !== undefined)))('%s takes the examples of its query', async (_name, operation) => {
  const given = operation.query.flatMap(({ name, example }) => (example === undefined ? [] : [[name, String(example)] as [string, string]]));
  const answer = await owner.call(operation, { query: `?${new URLSearchParams(given).toString()}` });
  expect([answer.status, answer.body.code]).toEqual([200, undefined]);
  expectAsDocumented(operation, answer);
});

test.each(named(({ headers }) => headers.includes('If-Match')))('%s is done to the version that was read, and to no other', async (_name, operation) => {
  const tenant = await Tenant.create(system);
  const body = operation.body?.examples[0]?.[1];
  const headers = tenant.headersFor(operation);
  expectProblem(operation, await tenant.call(operation, { body, headers: { ...headers, 'if-match': '"gone"' } }), 412, 'precondition_failed');
  const reader = operations.find(({ method, path }) => method === 'GET' && path === operation.path.replace(/\}.*$/, '}'))!;
  const { headers: read } = await tenant.call(reader);
  const done = await tenant.call(operation, { body, headers: { ...headers, 'if-match': read.get('etag')! } });
  expect([done.status < 300, done.body?.code]).toEqual([true, undefined]);
});

test.each(named(({ headers }) => headers.includes('If-None-Match')))('%s is not sent again to whoever has it', async (_name, operation) => {
  const read = await owner.call(operation);
  const again = await owner.call(operation, { headers: { ...owner.headersFor(operation), 'if-none-match': read.headers.get('etag')! } });
  expect([again.status, again.body]).toEqual([304, undefined]);
  expectAsDocumented(operation, again);
});

test.each([...new Set(operations.map(({ path }) => path))])('%s names its methods to whoever uses another', async (path) => {
  const { status, headers, body } = await owner.send('PUT', path.replaceAll(/\{\w+\}/g, 'x'), {});
  const methods = operations.filter((operation) => operation.path === path).map(({ method }) => method);
  expect([status, body.code]).toEqual([405, 'method_not_allowed']);
  expect(headers.get('allow')!.split(', ')).toEqual(expect.arrayContaining(methods));
});

test('what arrives at a webhook is what the document says, for every type of event', async () => {
  const receiver = await WebhookReceiver.start();
  const tenant = await Tenant.create(system);
  const own = { token: tenant.token, workspaceId: tenant.workspaceId };
  const { body: webhook } = await system.api('POST', '/webhooks', own, { url: receiver.url, event_types: ['*'] });
  for (const event_type of eventTypes) expect((await system.api('POST', `/webhooks/${webhook.id}/test`, own, { event_type })).status).toBe(202);
  const typesOf = (all: { headers: Json }[]) => all.map(({ headers }) => headers['x-webhook-event'] as string);
  const requests = await receiver.until((all) => eventTypes.every((type) => typesOf(all).includes(type)));
  await receiver.stop();
  for (const { headers, body } of requests) {
    const described = document.webhooks[headers['x-webhook-event'] as string].post;
    expect(faultsOf(described.requestBody.content['application/json'].schema, JSON.parse(body.toString()))).toEqual([]);
    const wanted: string[] = described.parameters.map(resolved).filter(({ required }: Json) => required).map(({ name }: Json) => name.toLowerCase());
    expect(wanted.filter((name) => !(name in headers))).toEqual([]);
  }
  expect(Object.keys(document.webhooks).sort()).toEqual(Object.keys(eventExamples).sort());
});
