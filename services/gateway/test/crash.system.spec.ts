// kill -9 in the middle of the work: nothing that was accepted is lost.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually, TestSystem, WebhookReceiver, type Json } from '@na/testing';

let system: TestSystem;
let receiver: WebhookReceiver;
beforeAll(async () => {
  system = await TestSystem.start();
  receiver = await WebhookReceiver.start();
}, 60_000);
afterAll(async () => {
  await system.stop();
  await receiver.stop();
});

const hits = 2_000;
const perRequest = 100;

const hitIdsIn = (requests: { body: Buffer }[]) => new Set(requests.map(({ body }) => JSON.parse(body.toString()).data.hit_id as string));

async function allDeliveries(credentials: { token: string; workspaceId: string }): Promise<Json[]> {
  const deliveries: Json[] = [];
  for (let cursor = ''; ; ) {
    const { body } = await system.api('GET', `/deliveries?limit=100${cursor && `&cursor=${cursor}`}`, credentials);
    deliveries.push(...body.data);
    if (!body.has_more) return deliveries;
    cursor = encodeURIComponent(body.next_cursor);
  }
}

test('of 2,000 conversions with reporting and the dispatcher killed in the middle, every delivery is recorded and every event received', async () => {
  const credentials = await system.createWorkspace();
  const page = await system.api('POST', '/pages', credentials, { url: 'https://example.com/', title: 'Home' });
  await system.api('POST', '/goals', credentials, { name: 'Sign-up', event_name: 'signup' });
  await system.api('POST', '/webhooks', credentials, { url: receiver.url, event_types: ['goal.converted'] });

  const killedTwice = (async () => {
    await receiver.received(300);
    await Promise.all([system.kill('webhook-dispatcher'), system.kill('reporting')]);
    await Promise.all([system.restart('webhook-dispatcher'), system.restart('reporting')]);
    await receiver.received(1_000);
    await Promise.all([system.kill('reporting'), system.kill('webhook-dispatcher')]);
    await Promise.all([system.restart('reporting'), system.restart('webhook-dispatcher')]);
  })();

  const accepted = new Set<string>();
  for (let sent = 0; sent < hits; sent += perRequest) {
    const batch = Array.from({ length: perRequest }, (_, i) => ({ page_id: page.body.id, type: 'event', name: 'signup', visitor: { id: `v${sent + i}` } }));
    const { status, body } = await system.api('POST', '/track', credentials, { hits: batch });
    expect(status).toBe(202);
    for (const result of body.results) accepted.add(result.hit_id);
  }
  expect(accepted.size).toBe(hits);
  await killedTwice;

  await receiver.until((requests) => requests.length >= hits && hitIdsIn(requests).size === hits);
  expect(hitIdsIn(receiver.requests)).toEqual(accepted);
  await eventually(async () => {
    const deliveries = await allDeliveries(credentials);
    expect(deliveries).toHaveLength(hits);
    expect(new Set(deliveries.map(({ status }) => status))).toEqual(new Set(['succeeded']));
  }, 90_000);
}, 180_000);
