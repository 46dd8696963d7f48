import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { ListDeliveriesRequest } from '@na/contracts';
import { typeid } from 'typeid-js';
import { GatewayBed, type TestKey } from './gateway.bed.js';

let gateway: GatewayBed;
let key: TestKey;
beforeAll(async () => {
  gateway = await GatewayBed.start();
  key = gateway.newKey();
});
afterAll(() => gateway.stop());

const lastAsked = () => gateway.state.asked.at(-1) as ListDeliveriesRequest;

test('the delivery table is asked for with the filters of the query', async () => {
  const eventId = typeid('evt').toString();
  const times = { since: '2026-03-01T00:00:00Z', until: '2026-03-02T00:00:00+02:00' };
  const query = new URLSearchParams({ ...times, status: 'failed', event_type: 'goal.converted', event_id: eventId, response_code: '503', limit: '7' });
  const { status, body } = await gateway.get(`/api/v1/deliveries?${query}`, key.headers);
  expect([status, body.data[0]]).toMatchObject([200, { id: gateway.state.deliveryId, status: 'retrying', attempts: 3, response_code: null, final_status: null, event_created_at: '2026-03-01T12:00:00.000Z' }]);
  const { since, until, ...asked } = lastAsked();
  expect(asked).toMatchObject({ status: 'failed', eventType: 'goal.converted', eventId, responseCode: 503, limit: 7 });
  expect([since, until].map((time) => timestampDate(time!).toISOString())).toEqual(['2026-03-01T00:00:00.000Z', '2026-03-01T22:00:00.000Z']);
});

test('a filter that makes no sense is 400', async () => {
  for (const query of ['status=open', 'event_id=evt_1', 'endpoint_id=x', 'response_code=42', 'since=yesterday']) {
    const { status, body } = await gateway.get(`/api/v1/deliveries?${query}`, key.headers);
    expect([query, status, body.errors[0].pointer]).toEqual([query, 400, `/${query.split('=')[0]}`]);
  }
});

test('a cursor goes on with its own filters only', async () => {
  const { body } = await gateway.get('/api/v1/deliveries?status=failed', key.headers);
  const goOn = async (filters: string) => (await gateway.get(`/api/v1/deliveries?${filters}&cursor=${body.next_cursor}`, key.headers)).status;
  expect([await goOn('status=failed'), lastAsked().after]).toEqual([200, gateway.state.deliveryId]);
  expect(await goOn('status=succeeded')).toBe(400);
  expect(await goOn('status=failed&response_code=500')).toBe(400);
});

test('a webhook has its own deliveries, and an unknown one has none to show', async () => {
  const { endpointId } = gateway.state;
  expect((await gateway.get(`/api/v1/webhooks/${endpointId}/deliveries`, key.headers)).status).toBe(200);
  expect(lastAsked().endpointId).toBe(endpointId);
  expect((await gateway.get(`/api/v1/webhooks/${typeid('we').toString()}/deliveries`, key.headers)).status).toBe(404);
  expect((await gateway.get(`/api/v1/webhooks/${endpointId}/deliveries?endpoint_id=${endpointId}`, key.headers)).status).toBe(400);
});

test('a delivery comes with its request and its attempts', async () => {
  const { body } = await gateway.get(`/api/v1/deliveries/${gateway.state.deliveryId}`, key.headers);
  expect(body).toMatchObject({
    id: gateway.state.deliveryId,
    max_attempts: 12,
    request: { url: 'https://example.com/hook', headers: { 'webhook-id': 'evt_1' }, body: '{}' },
    attempt_log: [{ number: 1, duration_ms: 12.5, response_code: 503, error: null, url: null }],
  });
});

test('a signature with which the body could be sent again is shown only to who may send', async () => {
  const timeless = { 'x-webhook-signature': 'sha256=1', 'x-webhook-signature-previous': 'sha256=0' };
  gateway.state.sentRequest = { url: 'https://example.com/hook', headers: { 'webhook-signature': 'v1,1', ...timeless }, body: '{}' };
  const seenBy = async ({ headers }: TestKey) => (await gateway.get(`/api/v1/deliveries/${gateway.state.deliveryId}`, headers)).body.request.headers;
  expect(await seenBy(gateway.newKey({ scopes: ['webhooks:read'] }))).toEqual({ 'webhook-signature': 'v1,1' });
  expect(await seenBy(gateway.newKey({ scopes: ['webhooks:read', 'webhooks:write'] }))).toEqual({ 'webhook-signature': 'v1,1', ...timeless });
});

test('what is not known of a request is null', async () => {
  gateway.state.sentRequest = { url: '', headers: {}, body: '{}' };
  const { body } = await gateway.get(`/api/v1/deliveries/${gateway.state.deliveryId}`, key.headers);
  expect(body.request).toEqual({ url: null, headers: null, body: '{}' });
});

test('each event type comes with its description, schema and an example', async () => {
  const { body } = await gateway.get('/api/v1/event-types', key.headers);
  const converted = body.data.find(({ name }: { name: string }) => name === 'goal.converted');
  expect(converted).toMatchObject({ description: expect.any(String), schema: { type: 'object' }, example: { type: 'goal.converted' } });
});
