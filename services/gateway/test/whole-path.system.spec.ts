// The whole path through the public door, on the four processes as they run in a deployment.
import { createHmac, randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { answer, eventually, inTurn, TelemetryCollector, TestSystem, WebhookReceiver, type Json } from '@na/testing';
import { makeKey } from '../src/auth/key-material.js';

let collector: TelemetryCollector;
let system: TestSystem;
let receiver: WebhookReceiver;
beforeAll(async () => {
  collector = await TelemetryCollector.start();
  system = await TestSystem.start(collector.environment);
}, 60_000);
afterAll(async () => {
  await system.stop();
  await collector.stop();
});
beforeEach(async () => void (receiver = await WebhookReceiver.start()));
afterEach(() => receiver.stop());

/** A workspace with a page, a goal on the event `signup` and a webhook for conversions. */
async function trackedWorkspace(webhook: object = {}) {
  const credentials = await system.createWorkspace();
  const page = await system.api('POST', '/pages', credentials, { url: 'https://example.com/pricing', title: 'Pricing' });
  expect(page.status).toBe(201);
  const goal = await system.api('POST', '/goals', credentials, { name: 'Sign-up', event_name: 'signup', value: 12.5 });
  expect(goal.status).toBe(201);
  const created = await system.api('POST', '/webhooks', credentials, { url: receiver.url, event_types: ['goal.converted'], ...webhook });
  expect(created.status).toBe(201);
  return { credentials, page: page.body, goal: goal.body, webhook: created.body };
}

function signup(pageId: string, visitor: string) {
  return { page_id: pageId, type: 'event', name: 'signup', visitor: { id: visitor } };
}

function onlyDelivery(credentials: { token: string; workspaceId: string }, wanted: (delivery: Json) => boolean): Promise<Json> {
  return eventually(async () => {
    const { body } = await system.api('GET', '/deliveries', credentials);
    if (body.data.length !== 1 || !wanted(body.data[0])) throw new Error(`not yet: ${JSON.stringify(body)}`);
    return body.data[0];
  });
}

test('a hit that meets a goal becomes a signed webhook, and the delivery table shows it', async () => {
  const { credentials, page, goal, webhook } = await trackedWorkspace();
  const tracked = await system.api('POST', '/track', credentials, { hits: [signup(page.id, 'ann')] });
  expect(tracked.status).toBe(202);

  const [request] = await receiver.received(1);
  const payload = JSON.parse(request!.body.toString());
  expect(payload).toMatchObject({
    type: 'goal.converted',
    workspace_id: credentials.workspaceId,
    data: { goal_id: goal.id, goal_name: 'Sign-up', page_id: page.id, hit_id: tracked.body.results[0].hit_id, value: 12.5 },
  });
  expect(request!.headers['x-webhook-signature']).toBe(`sha256=${createHmac('sha256', webhook.secret).update(request!.body).digest('hex')}`);
  expect(request!.headers.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);

  const delivery = await onlyDelivery(credentials, ({ status }) => status === 'succeeded');
  expect(delivery).toMatchObject({
    endpoint_id: webhook.id, event_id: payload.id, event_type: 'goal.converted', attempts: 1, response_code: 200, error: null, next_retry_at: null, final_status: 'succeeded',
  });
  const whole = await system.api('GET', `/deliveries/${delivery.id}`, credentials);
  const { traceparent } = request!.headers;
  expect(whole.body).toMatchObject({
    id: delivery.id,
    request: { url: receiver.url, headers: { 'webhook-id': payload.id, traceparent }, body: request!.body.toString() },
    attempt_log: [{ number: 1, response_code: 200, url: receiver.url }],
  });
  const { headers, body } = whole.body.request;
  const asked = await system.api('POST', '/webhooks/signature/explain', credentials, { secret: webhook.secret, headers, body });
  expect(asked.body).toMatchObject({ verdict: { ok: true }, schemes: [{ scheme: 'standard', matches: true }, { scheme: 'raw-body', matches: true }] });
});

test('a receiver that answers 503 twice gets the event a third time on the backoff schedule', async () => {
  receiver.behave(inTurn(answer(503), answer(503), answer(204)));
  const { credentials, page } = await trackedWorkspace({ retry_policy: { base_seconds: 1, factor: 1, max_seconds: 1, max_attempts: 3 } });
  await system.api('POST', '/track', credentials, { hits: [signup(page.id, 'ben')] });
  await receiver.received(3);
  const delivery = await onlyDelivery(credentials, ({ status }) => status === 'succeeded');
  const { body } = await system.api('GET', `/deliveries/${delivery.id}`, credentials);
  expect(body.attempt_log.map(({ number, response_code }: Json) => [number, response_code])).toEqual([[1, 503], [2, 503], [3, 204]]);
  const starts = body.attempt_log.map(({ started_at }: Json) => Date.parse(started_at));
  expect(starts[1] - starts[0]).toBeGreaterThanOrEqual(800);
  expect(starts[2] - starts[1]).toBeGreaterThanOrEqual(800);
});

test('a page needs no title', async () => {
  const page = await system.api('POST', '/pages', await system.createWorkspace(), { url: 'https://example.com/untitled' });
  expect([page.status, page.body.title]).toEqual([201, '']);
});

test('a hit that is sent twice converts once', async () => {
  const { credentials, page } = await trackedWorkspace();
  const hit = { ...signup(page.id, 'cem'), hit_id: 'order-1', occurred_at: new Date().toISOString() };
  await system.api('POST', '/track', credentials, { hits: [hit] });
  await system.api('POST', '/track', credentials, { hits: [hit] });
  await system.api('POST', '/track', credentials, { hits: [{ ...hit, hit_id: 'order-2' }] });
  const requests = await receiver.until((all) => all.some(({ body }) => body.includes('order-2')));
  expect(requests.filter(({ body }) => body.includes('order-1'))).toHaveLength(1);
});

test('the page of a workspace is unknown to another, in a path and in a body', async () => {
  const { page } = await trackedWorkspace();
  const stranger = await system.createWorkspace();
  const read = await system.api('GET', `/pages/${page.id}`, stranger);
  const used = await system.api('POST', '/goals', stranger, { name: 'x', event_name: 'y', page_id: page.id });
  expect([read.status, used.status]).toEqual([404, 404]);
});

test('a key is refused when it is wrong, expired, revoked, of another workspace or too narrow', async () => {
  const owner = await system.createWorkspace();
  const stranger = await system.createWorkspace();
  const reader = await system.createWorkspace({ access: 'read_only' });
  const expiring = await system.createWorkspace({ access: 'read_write', expires_at: new Date(Date.now() + 5_000).toISOString() });
  const revoked = await system.createWorkspace();
  const { body: ownersKey } = await system.api('GET', '/keys/current', owner);
  const { body: key } = await system.api('GET', '/keys/current', revoked);
  await system.api('DELETE', `/keys/${key.id}`, { token: system.operatorToken, workspaceId: revoked.workspaceId });

  const guessed = makeKey(ownersKey.id, randomBytes(32)).credential;
  const wrong = `${owner.token.slice(0, -1)}${owner.token.endsWith('a') ? 'b' : 'a'}`;
  const refusals = [
    [{ workspaceId: owner.workspaceId }, 401, 'unauthenticated'],
    [{ ...owner, token: wrong }, 401, 'unauthenticated'],
    [{ ...owner, token: guessed }, 401, 'unauthenticated'],
    [revoked, 401, 'unauthenticated'],
    [{ token: owner.token }, 400, 'workspace_required'],
    [{ ...owner, workspaceId: stranger.workspaceId }, 403, 'workspace_mismatch'],
  ] as const;
  for (const [credentials, status, code] of refusals) {
    const refused = await system.api('GET', '/pages', credentials);
    expect([refused.status, refused.body.code]).toEqual([status, code]);
    expect(refused.headers.get('content-type')).toMatch('application/problem+json');
  }
  const written = await system.api('POST', '/pages', reader, { url: 'https://example.com', title: 'x' });
  expect([written.status, written.body.code]).toEqual([403, 'insufficient_scope']);
  expect(written.headers.get('www-authenticate')).toContain('error="insufficient_scope", scope="pages:write"');
  await eventually(async () => expect((await system.api('GET', '/pages', expiring)).status).toBe(401), 20_000);
});

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';

/** Every step from the request to the customer, as service and span name. */
const steps = [
  ['gateway', 'POST'],
  ['gateway', 'publish na.hits.v1'],
  ['reporting', 'process reporting-hits'],
  ['reporting', 'pg.query'],
  ['reporting', 'publish na.events.v1'],
  ['webhook-dispatcher', 'process webhook-dispatcher'],
  ['webhook-dispatcher', 'pg.query'],
  ['webhook-dispatcher', 'webhook attempt'],
  ['webhook-dispatcher', 'POST'],
] as const;

test('one trace runs from the request through NATS and PostgreSQL to the webhook attempt', async () => {
  const credentials = await system.createWorkspace();
  const page = await system.api('POST', '/pages', credentials, { url: 'https://example.com/', title: 'Home' });
  await system.api('POST', '/goals', credentials, { name: 'Sign-up', event_name: 'signup' });
  await system.api('POST', '/webhooks', credentials, { url: receiver.url, event_types: ['goal.converted'] });
  // Its first hit verifies the page, which is an event too: of two events in one batch, neither's trace is the batch's.
  await system.api('POST', '/track', credentials, { hits: [{ page_id: page.body.id, type: 'pageview', visitor: { id: 'ann' } }] });
  await eventually(async () => expect((await system.api('GET', `/pages/${page.body.id}`, credentials)).body.verified_at).not.toBeNull());
  const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
  await system.api('POST', '/track', { ...credentials, headers }, { hits: [{ page_id: page.body.id, type: 'event', name: 'signup', visitor: { id: 'ann' } }] });

  const [request] = await receiver.received(1);
  expect(request!.headers.traceparent).toContain(traceId);
  const spans = await eventually(async () => {
    const found = collector.spans.filter((span) => span.traceId === traceId);
    for (const [service, name] of steps) expect(found).toContainEqual(expect.objectContaining({ service, name: expect.stringContaining(name) }));
    return found;
  });
  const ids = new Set(['00f067aa0ba902b7', ...spans.map(({ spanId }) => spanId)]);
  expect(spans.filter(({ parentSpanId }) => !ids.has(parentSpanId))).toEqual([]);
});

test('no span carries a credential, nor the path or query of a webhook, where its token may stand', async () => {
  const credentials = await system.createWorkspace();
  const token = 'a-token-in-the-path';
  const webhook = await system.api('POST', '/webhooks', credentials, { url: `${receiver.url}/${token}?key=${token}`, event_types: ['page.created'] });
  await system.api('GET', `/pages?api_key=${credentials.token}`, { workspaceId: credentials.workspaceId });
  const page = await system.api('POST', '/pages', credentials, { url: 'https://example.com/b', title: 'B' });
  const received = await receiver.until((all) => all.some(({ path }) => path.includes(token)));
  const attempt = received.find(({ path }) => path.includes(token))!;
  const sentIn = String(attempt.headers.traceparent).split('-')[1];
  await eventually(async () => {
    const inTrace = collector.spans.filter((span) => span.traceId === sentIn);
    expect(inTrace).toContainEqual(expect.objectContaining({ service: 'webhook-dispatcher', attributes: expect.objectContaining({ 'url.full': new URL(receiver.url).origin }) }));
    expect(collector.spans).toContainEqual(expect.objectContaining({ service: 'gateway', attributes: expect.objectContaining({ 'url.path': '/api/v1/pages', 'http.request.method': 'GET' }) }));
  });
  expect(page.status).toBe(201);
  const exported = JSON.stringify(collector.spans);
  for (const secret of [token, credentials.token.slice(-49), webhook.body.secret, system.operatorToken, '/hook']) expect(exported).not.toContain(secret);
});
