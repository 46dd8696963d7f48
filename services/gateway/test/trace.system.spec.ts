import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually, TestSystem, TraceCollector, WebhookReceiver } from '@na/testing';

let collector: TraceCollector;
let system: TestSystem;
let receiver: WebhookReceiver;
beforeAll(async () => {
  collector = await TraceCollector.start();
  receiver = await WebhookReceiver.start();
  system = await TestSystem.start(collector.environment);
}, 60_000);
afterAll(async () => {
  await system.stop();
  await receiver.stop();
  await collector.stop();
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
