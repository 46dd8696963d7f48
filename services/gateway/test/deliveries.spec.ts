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
  const query = new URLSearchParams({ ...times, status: 'failed', event_type: 'goal.converted', event_id: eventId, response_code: '999', limit: '7' });
  const { status, body } = await gateway.get(`/api/v1/deliveries?${query}`, key.headers);
  expect([status, body.data[0]]).toMatchObject([200, { id: gateway.state.deliveryId, status: 'retrying', attempts: 3, response_code: null, final_status: null, event_created_at: '2026-03-01T12:00:00.000Z' }]);
  const { since, until, ...asked } = lastAsked();
  expect(asked).toMatchObject({ status: 'failed', eventType: 'goal.converted', eventId, responseCode: 999, limit: 7 });
  expect([since, until].map((time) => timestampDate(time!).toISOString())).toEqual(['2026-03-01T00:00:00.000Z', '2026-03-01T22:00:00.000Z']);
});

test('a filter that makes no sense is 400', async () => {
  for (const query of ['status=open', 'event_id=evt_1', 'endpoint_id=x', 'response_code=42', 'response_code=1000', 'since=yesterday']) {
    const { status, body } = await gateway.get(`/api/v1/deliveries?${query}`, key.headers);
    expect([query, status, body.errors[0].pointer]).toEqual([query, 400, `/${query.split('=')[0]}`]);
  }
});

test('a window in which nothing can lie is 400 and says how to mend it, beside whatever else is wrong', async () => {
  const [first, second] = ['2026-03-01T00:00:00Z', '2026-03-02T00:00:00Z'];
  for (const list of ['/deliveries', `/webhooks/${gateway.state.endpointId}/deliveries`, '/audit-log']) {
    for (const query of [`since=${second}&until=${first}`, `since=${first}&until=2026-03-01T01:00:00%2B01:00`]) {
      const { status, body } = await gateway.get(`/api/v1${list}?${query}`, key.headers);
      expect([list, status, body.errors]).toEqual([list, 400, [{ pointer: '/since', code: 'invalid_window', detail: expect.stringMatching(/Exchange the two/) }]]);
    }
  }
  const { body } = await gateway.get(`/api/v1/deliveries?since=${second}&until=${first}&event_type=nope&status=open`, key.headers);
  expect(body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(['/status', '/event_type', '/since']);
});

test.each([
  ['status=failed&status=succeeded', 'repeated_parameter', /^Give this parameter once/],
  ['event_type=goal.*&event_type=page.*', 'repeated_parameter', /^Give this parameter once/],
  ['since=2026-03-01T00:00:00Z&since=2026-03-02T00:00:00Z', 'repeated_parameter', /^Give this parameter once/],
  ['limit=1&limit=2', 'repeated_parameter', /^Give this parameter once/],
  ['status=failed,succeeded', 'invalid_value', /^Must be one of .* Give it once, with one value/],
  ['event_type=goal.converted,page.created', 'unknown_event_type', /Give it once, with one value/],
  ['response_code=500,503', 'invalid_format', /^Must be a whole number\. Give it once/],
])('%s is refused, and told to be given once', async (query, code, detail) => {
  const { status, body } = await gateway.get(`/api/v1/deliveries?${query}`, key.headers);
  expect([status, body.errors]).toEqual([400, [{ pointer: `/${query.split('=')[0]}`, code, detail: expect.stringMatching(detail) }]]);
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
