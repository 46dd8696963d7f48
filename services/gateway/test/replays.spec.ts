import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { CreateReplayRequest, ListReplaysRequest, RetryDeliveryRequest } from '@na/contracts';
import { typeid } from 'typeid-js';
import { GatewayBed, type TestKey } from './gateway.bed.js';

let gateway: GatewayBed;
let key: TestKey;
let replays: string;
beforeAll(async () => {
  gateway = await GatewayBed.start();
  key = gateway.newKey();
  replays = `/api/v1/webhooks/${gateway.state.endpointId}/replays`;
});
afterAll(() => gateway.stop());

const window = { since: '2026-03-01T00:00:00Z', until: '2026-03-02T00:00:00Z' };

test('a replay is taken in with 202 and says where it is found', async () => {
  const { status, headers, body } = await gateway.post(replays, window, key.headers);
  expect([status, headers.get('location')]).toEqual([202, `${replays}/${gateway.state.replayId}`]);
  expect(body).toMatchObject({ id: gateway.state.replayId, endpoint_id: gateway.state.endpointId, status: 'running', total: 7, done: 0, completed_at: null });
  expect((await gateway.get(headers.get('location')!, key.headers)).body).toMatchObject({ id: gateway.state.replayId, done: 2 });
});

test('with nothing said a replay is of what has failed, at the usual rate', async () => {
  await gateway.post(replays, window, key.headers);
  const { since, until, ...asked } = gateway.state.asked.at(-1) as CreateReplayRequest;
  expect([since, until].map((time) => timestampDate(time!).toISOString())).toEqual(['2026-03-01T00:00:00.000Z', '2026-03-02T00:00:00.000Z']);
  expect(asked).toMatchObject({ endpointId: gateway.state.endpointId, statuses: ['failed'], eventTypes: [], includeMissed: false, dryRun: false });
  expect(asked.ratePerSecond).toBeUndefined();
});

test('everything a replay can be told comes through', async () => {
  const wanted = { ...window, statuses: ['failed', 'cancelled'], event_types: ['goal.*'], include_missed: true, rate_per_second: 200, dry_run: true };
  await gateway.post(replays, wanted, key.headers);
  expect(gateway.state.asked.at(-1)).toMatchObject({ statuses: ['failed', 'cancelled'], eventTypes: ['goal.*'], includeMissed: true, ratePerSecond: 200, dryRun: true });
});

test('what was missed can be replayed alone', async () => {
  expect((await gateway.post(replays, { ...window, statuses: [], include_missed: true }, key.headers)).status).toBe(202);
  expect(gateway.state.asked.at(-1)).toMatchObject({ statuses: [], includeMissed: true, onlyMissed: true });
});

test.each([
  ['/since', { until: window.until }],
  ['/until', { ...window, until: 'tomorrow' }],
  ['/statuses', { ...window, statuses: [] }],
  ['/statuses/1', { ...window, statuses: ['failed', 'lost'] }],
  ['/event_types/0', { ...window, event_types: [''] }],
  ['/include_missed', { ...window, include_missed: 'yes' }],
  ['/rate_per_second', { ...window, rate_per_second: 0 }],
  ['/rate_per_second', { ...window, rate_per_second: 1_001 }],
  ['/rate', { ...window, rate: 5 }],
])('a replay with a fault at %s is 400 and says where', async (pointer, body) => {
  const answer = await gateway.post(replays, body, key.headers);
  expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, pointer]);
});

test('an unknown event type is told beside what is wrong with the window, and with the rest', async () => {
  const faultsOf = async (body: object) => (await gateway.post(replays, body, key.headers)).body.errors.map(({ pointer }: { pointer: string }) => pointer);
  expect(await faultsOf({ since: window.until, until: window.since, event_types: ['goal.*', 'nope'], statuses: ['lost'] })).toEqual(['/statuses/0', '/event_types/1', '/since']);
  expect(await faultsOf({ ...window, since: '2025-01-01T00:00:00Z', event_types: ['nope'] })).toEqual(['/event_types/0', '/since']);
  expect(await faultsOf({ since: 'yesterday', until: window.until, event_types: ['nope'] })).toEqual(['/since', '/event_types/0']);
});

test('replays are listed in pages that belong to their webhook', async () => {
  const { body } = await gateway.get(`${replays}?limit=1`, key.headers);
  expect(body).toMatchObject({ data: [{ id: gateway.state.replayId }], has_more: true });
  await gateway.get(`${replays}?cursor=${body.next_cursor}`, key.headers);
  expect((gateway.state.asked.at(-1) as ListReplaysRequest).after).toBe(gateway.state.replayId);
  const other = `/api/v1/webhooks/${typeid('we').toString()}/replays`;
  expect((await gateway.get(`${other}?cursor=${body.next_cursor}`, key.headers)).status).toBe(400);
});

test('a replay is cancelled with 200', async () => {
  const { status, body } = await gateway.send('POST', `${replays}/${gateway.state.replayId}/cancel`, key.headers);
  expect([status, body]).toMatchObject([200, { id: gateway.state.replayId, status: 'cancelled' }]);
});

test('a delivery is retried with 202 and cancelled with 200', async () => {
  const { deliveryId } = gateway.state;
  const retried = await gateway.send('POST', `/api/v1/deliveries/${deliveryId}/retry`, key.headers);
  expect([retried.status, retried.body]).toMatchObject([202, { id: deliveryId, status: 'retrying', final_status: null }]);
  expect((gateway.state.asked.at(-1) as RetryDeliveryRequest).caller?.workspaceId).toBe(key.workspaceId);
  const cancelled = await gateway.send('POST', `/api/v1/deliveries/${deliveryId}/cancel`, key.headers);
  expect([cancelled.status, cancelled.body]).toMatchObject([200, { id: deliveryId, status: 'cancelled', final_status: 'cancelled' }]);
});

test('what can not be an id is not found, without asking the dispatcher', async () => {
  const before = gateway.state.asked.length;
  const paths = ['/api/v1/deliveries/dlv_1/retry', '/api/v1/deliveries/dlv_1/cancel', '/api/v1/webhooks/we_1/replays', `${replays}/rpl_1/cancel`];
  for (const path of paths) expect([path, (await gateway.post(path, path.endsWith('/replays') ? window : '', key.headers)).status]).toEqual([path, 404]);
  expect(gateway.state.asked.length).toBe(before);
});

test('a key that may only read webhooks can look and nothing else', async () => {
  const reader = gateway.newKey({ scopes: ['webhooks:read'] });
  const acts = [replays, `${replays}/${gateway.state.replayId}/cancel`, `/api/v1/deliveries/${gateway.state.deliveryId}/retry`, `/api/v1/deliveries/${gateway.state.deliveryId}/cancel`];
  for (const path of acts) expect([path, (await gateway.post(path, window, reader.headers)).status]).toEqual([path, 403]);
  expect((await gateway.get(replays, reader.headers)).status).toBe(200);
});
