import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Controller, Module } from '@nestjs/common';
import {
  EndpointService,
  eventTypes,
  type CreateEndpointRequest,
  type DeleteEndpointRequest,
  type DisableEndpointRequest,
  type EnableEndpointRequest,
  type RotateSecretRequest,
  type TestEndpointRequest,
  type UpdateEndpointRequest,
} from '@na/contracts';
import { replyKeyFrom, RpcMethod, sealReply, serveOnBus } from '@na/messaging';
import { signWebhook } from '@notion-analytics/webhook-signature';
import { typeid } from 'typeid-js';
import { GatewayBed, type Answer, type TestKey } from './gateway.bed.js';

const intakeKey = replyKeyFrom(Buffer.alloc(32, 9));
const asked: object[] = [];
const createdAt = timestampFromDate(new Date('2026-03-01T12:00:00.000Z'));

function take(request: object & { id: string }) {
  asked.push(request);
  return { endpoint: { id: request.id, url: 'https://example.com/hook', status: 'enabled', createdAt } };
}

/** What of EndpointService the other tests' fakes don't answer. */
@Controller()
class FakeEndpoints {
  @RpcMethod(EndpointService.method.updateEndpoint)
  async updateEndpoint(request: UpdateEndpointRequest) {
    return take(request);
  }

  @RpcMethod(EndpointService.method.deleteEndpoint)
  async deleteEndpoint(request: DeleteEndpointRequest) {
    take(request);
    return {};
  }

  @RpcMethod(EndpointService.method.enableEndpoint)
  async enableEndpoint(request: EnableEndpointRequest) {
    return { ...take(request), missedEvents: 7, missedSince: createdAt };
  }

  @RpcMethod(EndpointService.method.disableEndpoint)
  async disableEndpoint(request: DisableEndpointRequest) {
    return take(request);
  }

  @RpcMethod(EndpointService.method.rotateSecret)
  async rotateSecret(request: RotateSecretRequest) {
    return { ...take(request), sealedSecret: sealReply('whsec_new', request.replyPublicKey) };
  }

  @RpcMethod(EndpointService.method.testEndpoint)
  async testEndpoint(request: TestEndpointRequest) {
    take(request);
    return { deliveryId: 'dlv_1', eventId: 'evt_1' };
  }

  @RpcMethod(EndpointService.method.getIntakeKey)
  async getIntakeKey() {
    return { publicKey: intakeKey.publicKey };
  }
}

@Module({})
class FakeEndpointsModule {}

let gateway: GatewayBed;
let key: TestKey;
beforeAll(async () => {
  gateway = await GatewayBed.start();
  key = gateway.newKey();
  await serveOnBus({ module: FakeEndpointsModule, controllers: [FakeEndpoints] }, gateway.bed.bus, gateway.bed.natsUrl, gateway.bed.host('webhook-dispatcher'));
});
afterAll(() => gateway.stop());
beforeEach(() => void asked.splice(0));

const id = typeid('we').toString();
const path = `/api/v1/webhooks/${id}`;
const wanted = { url: 'https://example.com/hook', event_types: ['goal.*'] };
const chosen = `whsec_${Buffer.from(Array.from({ length: 32 }, (_, place) => place)).toString('base64')}`;
const faults = ({ status, body }: Answer) => [status, ...(body.errors ?? []).map(({ pointer, code }: { pointer: string; code: string }) => `${pointer} ${code}`)];
const patch = (body: object) => gateway.send('PATCH', path, { ...key.headers, 'content-type': 'application/json' }, JSON.stringify(body));

test('everything that a webhook can be told reaches the dispatcher', async () => {
  const { id: page } = (await gateway.post('/api/v1/pages', { url: 'https://example.com' }, key.headers)).body;
  const settings = { description: 'CI', page_ids: [page], headers: { 'X-A': '1' }, rate_limit_per_second: 5, max_in_flight: 1, timeout_ms: 2_000, ordered: true };
  expect((await gateway.post('/api/v1/webhooks', { ...wanted, ...settings }, key.headers)).status).toBe(201);
  const request = gateway.state.asked.at(-1) as CreateEndpointRequest;
  expect(request).toMatchObject({ description: 'CI', pageIds: [page], headers: { 'X-A': '1' }, rateLimitPerSecond: 5, maxInFlight: 1, timeoutMs: 2_000, ordered: true });
  expect(request.sealedSecret).toHaveLength(0);
});

test('pages of another workspace, and such as do not exist, are refused like any other id, in a new webhook as in a change', async () => {
  const newPage = async ({ headers }: TestKey) => (await gateway.post('/api/v1/pages', { url: 'https://example.com' }, headers)).body.id as string;
  const [own, foreign, unknown] = [await newPage(key), await newPage(gateway.newKey()), typeid('page').toString()];
  const already = gateway.state.asked.length;
  for (const page of [foreign, unknown]) {
    const refused = [404, 'not_found', `There is no page with the id ${page} in this workspace.`];
    for (const { status, body } of [await gateway.post('/api/v1/webhooks', { ...wanted, page_ids: [own, page] }, key.headers), await patch({ page_ids: [own, page] })]) {
      expect([status, body.code, body.detail]).toEqual(refused);
    }
  }
  expect([gateway.state.asked.length, asked]).toEqual([already, []]);
  expect([(await patch({ page_ids: [own] })).status, (await patch({ page_ids: null })).status]).toEqual([200, 200]);
});

test.each([
  [{ url: 'https://user:pw@example.com' }, '/url not_allowed'],
  [{ url: 'ftp://example.com' }, '/url invalid_format'],
  [{ url: 'no URL at all' }, '/url invalid_format'],
  [{ url: '' }, '/url too_small'],
  [{ url: 'https://example.com/#part' }, '/url not_allowed'],
  [{ event_types: [] }, '/event_types too_small'],
  [{ event_types: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'] }, '/event_types/0 not_allowed'],
  [{ event_types: ['goal.*', 'nope'] }, '/event_types/1 unknown_event_type'],
  [{ page_ids: ['page_1'] }, '/page_ids/0 invalid_format'],
  [{ headers: { 'X-A': 1 } }, '/headers/X-A invalid_type'],
  [{ headers: { 'X-A': 'v'.repeat(2_049) } }, '/headers too_big'],
  [{ headers: { 'X/A': 'v' } }, '/headers/X~1A invalid_header_name'],
  [{ headers: Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`x-${index}`, 'v'])) }, '/headers too_many'],
  [{ headers: Object.fromEntries(Array.from({ length: 41 }, (_, index) => [`x-${index}`, 'v'])) }, '/headers too_many'],
  [{ rate_limit_per_second: 0 }, '/rate_limit_per_second too_small'],
  [{ rate_limit_per_second: 1_001 }, '/rate_limit_per_second too_big'],
  [{ max_in_flight: 0 }, '/max_in_flight too_small'],
  [{ max_in_flight: 101 }, '/max_in_flight too_big'],
  [{ max_in_flight: 2, ordered: true }, '/max_in_flight not_allowed'],
  [{ timeout_ms: 999 }, '/timeout_ms too_small'],
  [{ retry_policy: { max_attempts: 31 } }, '/retry_policy/max_attempts too_big'],
  [{ retry_policy: { base_seconds: 60, max_seconds: 30 } }, '/retry_policy/max_seconds too_small'],
  [{ retry_policy: { attempts: 3 } }, '/retry_policy/attempts unknown_field'],
  [{ ordered: 'yes' }, '/ordered invalid_type'],
  [{ description: 'a\0b' }, '/description invalid_value'],
  [{ colour: 'red' }, '/colour unknown_field'],
])('%j is refused, in a new webhook as in a change', async (field, fault) => {
  expect(faults(await gateway.post('/api/v1/webhooks', { ...wanted, ...field }, key.headers))).toEqual([400, fault]);
  expect(faults(await patch(field))).toEqual([400, fault]);
  expect(asked).toEqual([]);
});

test('all that is wrong is told in one answer, whatever kind of fault it is, and the secret is not shown', async () => {
  const { status, body } = await gateway.post('/api/v1/webhooks', { url: 'ftp://x', event_types: ['nope'], secret: 'hunter2' }, key.headers);
  expect([status, body.errors.map(({ pointer }: { pointer: string }) => pointer)]).toEqual([400, ['/url', '/event_types/0', '/secret']]);
  expect(JSON.stringify(body)).not.toContain('hunter2');
  const many = { url: 'https://a:b@example.com/#c', event_types: [1, 'nope'], headers: { Host: 'x', 'X-A': 1 }, retry_policy: { base_seconds: 60, max_seconds: 30, factor: 0 }, ordered: 1 };
  const pointers = ['/url', '/url', '/event_types/0', '/event_types/1', '/ordered', '/headers/X-A', '/headers/Host', '/retry_policy/factor', '/retry_policy/max_seconds'];
  for (const answer of [await gateway.post('/api/v1/webhooks', many, key.headers), await patch(many)]) {
    expect(answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(pointers);
  }
  const rotation = await gateway.post(`${path}/secret/rotate`, { overlap_seconds: -1, secret: 'hunter2' }, key.headers);
  expect(faults(rotation)).toEqual([400, '/overlap_seconds too_small', '/secret invalid_format']);
  expect(asked).toEqual([]);
});

test('what has no default can not be taken back, and the secret is not a setting', async () => {
  expect(faults(await patch({ url: null, event_types: null, secret: chosen }))).toEqual([400, '/url invalid_type', '/event_types invalid_type', '/secret unknown_field']);
});

test('a merge patch names what it changes, down to single headers; null takes the default', async () => {
  const { status } = await patch({ description: null, event_types: ['*'], headers: { 'X-A': '1', 'X-B': null }, retry_policy: { max_attempts: 3, factor: null }, ordered: null });
  const { fields, settings } = asked[0] as UpdateEndpointRequest;
  expect([status, [...fields].sort()]).toEqual([
    200,
    ['description', 'event_types', 'headers.X-A', 'headers.X-B', 'ordered', 'retry_policy.factor', 'retry_policy.max_attempts'],
  ]);
  expect(settings).toMatchObject({ description: '', eventTypes: ['*'], headers: { 'X-A': '1' }, retryPolicy: { maxAttempts: 3, factor: 0 }, ordered: false });
  await patch({ headers: null, retry_policy: null, rate_limit_per_second: null });
  expect((asked[1] as UpdateEndpointRequest).fields).toEqual(['rate_limit_per_second', 'headers', 'retry_policy']);
});

test('a chosen secret crosses the bus sealed, on creation and on rotation', async () => {
  await gateway.post('/api/v1/webhooks', { ...wanted, secret: chosen }, key.headers);
  const rotated = await gateway.post(`${path}/secret/rotate`, { secret: chosen, overlap_seconds: 0 }, key.headers);
  expect([rotated.status, rotated.body]).toMatchObject([200, { id, secret: 'whsec_new' }]);
  const [rotation] = asked as RotateSecretRequest[];
  const creation = gateway.state.asked.at(-1) as CreateEndpointRequest;
  expect([creation, rotation!].map(({ sealedSecret }) => intakeKey.open(sealedSecret))).toEqual([chosen, chosen]);
  expect(Buffer.from(creation.sealedSecret).toString('latin1')).not.toContain('whsec_');
  expect(rotation!.overlapSeconds).toBe(0);
});

test('a rotation needs no body, and its overlap has bounds', async () => {
  expect((await gateway.send('POST', `${path}/secret/rotate`, key.headers)).status).toBe(200);
  expect((asked[0] as RotateSecretRequest).overlapSeconds).toBeUndefined();
  const attempt = async (body: object) => faults(await gateway.post(`${path}/secret/rotate`, body, key.headers));
  expect(await attempt({ overlap_seconds: -1 })).toEqual([400, '/overlap_seconds too_small']);
  expect(await attempt({ overlap_seconds: 604_801 })).toEqual([400, '/overlap_seconds too_big']);
  const tooLong = await gateway.post(`${path}/secret/rotate`, { secret: 's3cr3t'.repeat(50) }, key.headers);
  expect([faults(tooLong), JSON.stringify(tooLong.body).includes('s3cr3t')]).toEqual([[400, '/secret too_big'], false]);
});

test('a webhook is disabled with a reason, enabled with what it missed, tested and deleted', async () => {
  const disabled = await gateway.post(`${path}/disable`, { reason: 'Moving.' }, key.headers);
  const bare = await gateway.send('POST', `${path}/disable`, key.headers);
  const enabled = await gateway.send('POST', `${path}/enable`, key.headers);
  const tested = await gateway.post(`${path}/test`, { event_type: 'webhook.test' }, key.headers);
  const deleted = await gateway.send('DELETE', path, key.headers);
  expect([disabled, bare, enabled, tested, deleted].map(({ status }) => status)).toEqual([200, 200, 200, 202, 204]);
  expect(asked).toMatchObject([{ reason: 'Moving.' }, { reason: '' }, { id }, { eventType: 'webhook.test' }, { id }]);
  expect(enabled.body).toMatchObject({ id, missed_events: 7, missed_events_is_partial: false, missed_since: '2026-03-01T12:00:00.000Z' });
  expect([tested.body, deleted.body]).toEqual([{ delivery_id: 'dlv_1', event_id: 'evt_1' }, '']);
});

test('a test delivery of which no more is said is of webhook.test', async () => {
  const answers = [await gateway.send('POST', `${path}/test`, key.headers), await gateway.post(`${path}/test`, {}, key.headers), await gateway.post(`${path}/test`, { event_type: null }, key.headers)];
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
  expect(asked).toMatchObject([{ eventType: 'webhook.test' }, { eventType: 'webhook.test' }, { eventType: 'webhook.test' }]);
});

test('who may only read webhooks can change none of them', async () => {
  const { headers } = gateway.newKey({ scopes: ['webhooks:read'] });
  const posts = ['enable', 'disable', 'secret/rotate', 'test'].map((action) => gateway.post(`${path}/${action}`, {}, headers));
  const others = ['PATCH', 'DELETE'].map((method) => gateway.send(method, path, headers));
  for (const { status, body } of await Promise.all([...posts, ...others])) expect([status, body.code]).toEqual([403, 'insufficient_scope']);
  expect(asked).toEqual([]);
});

test('every event type is listed with the schema of its payload and an example', async () => {
  const { status, body } = await gateway.get('/api/v1/event-types', key.headers);
  expect([status, body.data.map(({ name }: { name: string }) => name)]).toEqual([200, eventTypes]);
  const goal = body.data.find(({ name }: { name: string }) => name === 'goal.converted');
  expect(goal).toMatchObject({
    description: expect.stringMatching(/goal/),
    schema: { type: 'object', properties: { type: { const: 'goal.converted' }, data: { required: expect.arrayContaining(['goal_id', 'converted_at']) } } },
    example: { type: 'goal.converted', data: { goal_name: 'Signed up', value: 49.5 } },
  });
});

test('event types that nothing sends yet say so', async () => {
  const { body } = await gateway.get('/api/v1/event-types', gateway.newKey().headers);
  const availability = Object.fromEntries((body.data as { name: string; available: boolean }[]).map(({ name, available }) => [name, available]));
  expect(availability).toMatchObject({ 'page.verified': true, 'goal.converted': true, 'webhook.test': true, 'page.updated': false, 'report.completed': false });
});

test('a signature is explained, and the secret is not in the answer', async () => {
  const body = '{"id":"evt_1"}';
  const headers = signWebhook({ id: 'evt_1', timestamp: new Date(), body, secrets: chosen });
  const explain = (request: object) => gateway.post('/api/v1/webhooks/signature/explain', request, gateway.newKey({ scopes: ['webhooks:read'] }).headers);
  const right = await explain({ secret: chosen, headers, body });
  expect([right.status, right.body.verdict, right.body.schemes.map(({ matches }: { matches: boolean }) => matches)]).toEqual([200, { ok: true }, [true, true]]);
  const wrong = await explain({ secret: chosen, headers, body: `${body}\n` });
  expect(wrong.body.schemes[0].given[0].mistakes).toMatchObject([{ code: 'body_trailing_newline' }]);
  const otherId = await explain({ secret: chosen, headers: { ...headers, 'webhook-id': 'evt_2' }, body });
  expect(otherId.body.verdict).toMatchObject({ ok: false, reason: 'no_match', detail: expect.stringMatching(/X-Webhook-Signature does\. Made with another id/) });
  expect(JSON.stringify([right.body, wrong.body, otherId.body])).not.toContain(chosen);
  expect(faults(await explain({ secret: chosen, headers: { a: 1 } }))).toEqual([400, '/headers/a invalid_type', '/body required']);
});
