import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { create, fromBinary } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { DeliverPolicy } from '@nats-io/jetstream';
import { HitSchema, PageSchema, streams, type Hit } from '@na/contracts';
import { ServiceError } from '@na/service-error';
import { typeid } from 'typeid-js';
import { GatewayBed, type Answer, type TestKey } from './gateway.bed.js';

let gateway: GatewayBed;
beforeAll(async () => void (gateway = await GatewayBed.start()));
afterAll(() => {
  hung.resolve();
  return gateway.stop();
});

const view = (overrides: object = {}) => ({ type: 'pageview', url: 'https://example.com/a', ...overrides });
const ofPage = (id: string, overrides: object = {}) => ({ type: 'pageview', page_id: id, visitor: { id: 'v1' }, ...overrides });
/** What a service that hangs is waiting for, until the tests are over. */
const hung = Promise.withResolvers<void>();
const track = (body: unknown, key: TestKey) => gateway.post('/api/v1/track', body, key.headers);
const statuses = ({ body }: Answer) => body.results.map(({ status }: { status: string }) => status);
const at = (ms: number) => new Date(gateway.bed.clock.now().getTime() + ms).toISOString();

/** The first `count` hits in the stream of one workspace. */
async function stored(workspaceId: string, count: number): Promise<{ hit: Hit; messageId: string }[]> {
  const options = { filter_subjects: `na.hits.v1.*.${workspaceId}`, deliver_policy: DeliverPolicy.All };
  const consumer = await gateway.bed.bus.js.consumers.get(streams.hits.name, options);
  const hits: { hit: Hit; messageId: string }[] = [];
  for await (const message of await consumer.consume()) {
    hits.push({ hit: fromBinary(HitSchema, message.data), messageId: message.headers!.get('Nats-Msg-Id') });
    if (hits.length === count) return hits;
  }
  throw new Error('The bus was closed before the hits came.');
}

async function countStored(workspaceId: string): Promise<number> {
  const { state } = await gateway.bed.bus.manager.streams.info(streams.hits.name, { subjects_filter: `na.hits.v1.*.${workspaceId}` });
  return Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
}

test('a single hit is stored as it was sent before it is accepted', async () => {
  const key = gateway.newKey();
  const pageId = await gateway.newPage(key);
  const same = { type: 'event', name: 'signup', referrer: 'https://news.example', utm: { source: 'x' }, props: { plan: { name: 'pro' } } };
  const sent = { ...same, page_id: pageId, visitor: { id: 'v1' }, occurred_at: at(-1_000), hit_id: 'order-1' };
  const answer = await track(sent, key);
  expect([answer.status, answer.body]).toEqual([202, { results: [{ hit_id: 'order-1', occurred_at: sent.occurred_at, status: 'accepted' }] }]);
  const [{ hit, messageId }] = (await stored(key.workspaceId, 1)) as [{ hit: Hit; messageId: string }];
  expect(messageId).toBe(`${key.workspaceId}:order-1`);
  expect(hit).toMatchObject({ ...same, id: 'order-1', workspaceId: key.workspaceId, pageId, url: '', visitorId: 'v1' });
  expect([timestampDate(hit.occurredAt!), timestampDate(hit.receivedAt!)].map((date) => date.toISOString())).toEqual([at(-1_000), at(0)]);
});

test('the good hits of a batch are accepted, the bad ones rejected with what is wrong with them, in their order', async () => {
  const key = gateway.newKey();
  const answer = await track({ hits: [view(), view({ typ: 'x', hit_id: 'h2' }), 'no hit', view({ type: 'event' }), view({ hit_id: 'h5' })] }, key);
  expect([answer.status, statuses(answer)]).toEqual([202, ['accepted', 'rejected', 'rejected', 'rejected', 'accepted']]);
  const [first, second, third, fourth] = answer.body.results;
  expect(first.hit_id).toMatch(/^hit_/);
  expect([second.hit_id, second.error.errors[0].pointer]).toEqual(['h2', '/hits/1/typ']);
  expect([third.hit_id, third.error.errors[0].pointer]).toEqual([null, '/hits/2']);
  expect(fourth.error.errors[0]).toMatchObject({ pointer: '/hits/3/name', code: 'required' });
  expect(await countStored(key.workspaceId)).toBe(2);
});

test.each([{ occurred_at: 'yesterday' }, { occurred_at: '2026-13-45T00:00:00Z' }, { occurred_at: null }, { props: 'x' }, { props: null }, { url: 5 }, { visitor: 'v' }, { utm: [] }, { type: {} }])(
  'a hit with %j is rejected, and the good one beside it accepted',
  async (fields) => {
    const key = gateway.newKey();
    const { status, body } = await track({ hits: [view(), { ...view(), ...fields }] }, key);
    expect(status).toBe(202);
    expect(body.results.map((result: { status: string }) => result.status)).toEqual(['accepted', 'rejected']);
  },
);

test('of all hits of a request no more than a thousand faults are told, and of each hit what became of it', async () => {
  const unknown = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`f${index}`, 0]));
  const page = typeid('page').toString();
  const answer = await track({ hits: [...Array.from({ length: 998 }, () => view(unknown)), view(), ofPage(page)] }, gateway.newKey());
  const errors = answer.body.results.flatMap(({ error }: { error?: { code: string; detail: string; errors: object[] } }) => error ?? []);
  expect(statuses(answer)).toEqual([...Array.from({ length: 998 }, () => 'rejected'), 'accepted', 'rejected']);
  expect(errors.map((error: { errors: object[] }) => error.errors.length)).toEqual([...Array.from({ length: 20 }, () => 50), ...Array.from({ length: 979 }, () => 0)]);
  expect(errors[20]).toEqual({ code: 'invalid_request', detail: expect.stringContaining('1000 faults of this request are told'), errors: [] });
  expect(errors.at(-1)).toEqual({ code: 'not_found', detail: expect.stringContaining(page), errors: [] });
  const refusal = await track({ hits: Array.from({ length: 100 }, () => view(unknown)) }, gateway.newKey());
  expect([refusal.status, refusal.body.errors.length]).toEqual([400, 1_000]);
});

test('a request without one good hit is 400, and nothing is stored', async () => {
  const key = gateway.newKey();
  const answer = await track({ hits: [{}, view({ page_id: typeid('page').toString() })] }, key);
  expect([answer.status, answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)]).toEqual([400, ['/hits/0/type', '/hits/1/url']]);
  expect(await countStored(key.workspaceId)).toBe(0);
});

test('a page of another workspace is refused like one that does not exist', async () => {
  const key = gateway.newKey();
  const [foreign, unknown] = [await gateway.newPage(gateway.newKey()), typeid('page').toString()];
  for (const wrap of [(hit: object) => hit, (hit: object) => ({ hits: [hit, hit] })]) {
    const answers = [];
    for (const id of [foreign, unknown]) {
      const { status, body } = await track(wrap(ofPage(id)), key);
      expect([status, body.code, body.detail, body.errors]).toEqual([404, 'not_found', `There is no page with the id ${id} in this workspace.`, undefined]);
      answers.push(JSON.stringify({ ...body, request_id: '' }).replaceAll(id, 'page_x'));
    }
    expect(answers[0]).toBe(answers[1]);
  }
  expect(await countStored(key.workspaceId)).toBe(0);
});

test('a hit of a page that the workspace does not have is rejected, and the good ones beside it are accepted', async () => {
  const key = gateway.newKey();
  const [own, foreign, unknown] = [await gateway.newPage(key), await gateway.newPage(gateway.newKey()), typeid('page').toString()];
  const answer = await track({ hits: [ofPage(own), ofPage(foreign, { hit_id: 'h2' }), ofPage(unknown), view({ url: 'https://not-tracked.example' })] }, key);
  expect([answer.status, statuses(answer)]).toEqual([202, ['accepted', 'rejected', 'rejected', 'accepted']]);
  const detailOf = (id: string) => `There is no page with the id ${id} in this workspace.`;
  const rejected = (id: string, hitId: string | null, pointer: string) => {
    const fault = { code: 'not_found', detail: detailOf(id) };
    return { hit_id: hitId, status: 'rejected', error: { ...fault, errors: [{ pointer, ...fault }] } };
  };
  expect(answer.body.results.slice(1, 3)).toEqual([rejected(foreign, 'h2', '/hits/1/page_id'), rejected(unknown, null, '/hits/2/page_id')]);
  expect(await countStored(key.workspaceId)).toBe(2);
});

test('where hits are bad for their pages and for other reasons, the answer is 400 with all of it', async () => {
  const key = gateway.newKey();
  const answer = await track({ hits: [ofPage(typeid('page').toString()), { type: 'pageview' }] }, key);
  const faults = answer.body.errors.map(({ pointer, code }: { pointer: string; code: string }) => `${pointer} ${code}`);
  expect([answer.status, answer.body.code, faults]).toEqual([400, 'invalid_request', ['/hits/0/page_id not_found', '/hits/1/page_id required']]);
});

test('a page that is made a moment after it was refused is accepted', async () => {
  const key = gateway.newKey();
  const made = create(PageSchema, { id: typeid('page').toString(), workspaceId: key.workspaceId });
  expect((await track(ofPage(made.id), key)).status).toBe(404);
  gateway.state.pages.push(made);
  expect((await track(ofPage(made.id), key)).status).toBe(202);
});

test('a page is looked up once a minute, for its own workspace, and all of a request at once', async () => {
  const [key, stranger] = [gateway.newKey(), gateway.newKey()];
  const own = await gateway.newPage(key);
  const lookUps = async (body: unknown, by = key) => {
    gateway.state.pageLookUps.length = 0;
    await track(body, by);
    return gateway.state.pageLookUps.map(({ length }) => length);
  };
  expect(await lookUps({ hits: [ofPage(own), ofPage(own), view()] })).toEqual([1]);
  expect(await lookUps(ofPage(own))).toEqual([]);
  expect(await lookUps(ofPage(own), stranger)).toEqual([1]);
  gateway.bed.clock.advance(60_000);
  expect(await lookUps(ofPage(own))).toEqual([1]);
  const many = Array.from({ length: 250 }, () => ofPage(typeid('page').toString()));
  expect((await lookUps({ hits: [...many, ofPage(own)] })).sort()).toEqual([100, 100, 50]);
});

test.each([
  ['says that it is not well', () => Promise.reject(new ServiceError('unavailable', 'Away.'))],
  ['fails', () => Promise.reject(new Error('broken'))],
  ['does not answer', () => hung.promise],
])('hits are taken as they come while reporting %s, and held against pages again afterwards', async (_how, lookUp) => {
  const key = gateway.newKey();
  const hit = ofPage(typeid('page').toString());
  gateway.state.holdPageLookUp = lookUp;
  gateway.state.pageLookUps.length = 0;
  expect((await track(hit, key)).status).toBe(202);
  expect((await track(hit, key)).status).toBe(202);
  // The second was not kept waiting for an answer that would not have come either.
  expect(gateway.state.pageLookUps).toHaveLength(1);
  expect(await countStored(key.workspaceId)).toBe(2);
  gateway.state.holdPageLookUp = async () => undefined;
  gateway.bed.clock.advance(3_000);
  expect((await track(hit, key)).status).toBe(404);
});

test('a request has one to a thousand hits, and nothing beside them', async () => {
  const key = gateway.newKey();
  const outcome = async (body: unknown) => {
    const answer = await track(body, key);
    return [answer.status, answer.body.errors?.[0].pointer];
  };
  expect(await outcome({ hits: [] })).toEqual([400, '/hits']);
  expect(await outcome({ hits: Array.from({ length: 1_001 }, () => view()) })).toEqual([400, '/hits']);
  expect(await outcome({ hits: [view()], more: 1 })).toEqual([400, '/more']);
  expect(await outcome([view()])).toEqual([400, '']);
});

test('a full batch of a thousand hits is accepted and stored', async () => {
  const key = gateway.newKey();
  const answer = await track({ hits: Array.from({ length: 1_000 }, () => view()) }, key);
  expect([answer.status, new Set(statuses(answer))]).toEqual([202, new Set(['accepted'])]);
  expect(await countStored(key.workspaceId)).toBe(1_000);
});

test('a hit may be 31 days late and 5 minutes early, not a moment more', async () => {
  const key = gateway.newKey();
  const days31 = 31 * 86_400_000;
  const times = [-days31, -days31 - 1, 5 * 60_000, 5 * 60_000 + 1];
  const answer = await track({ hits: times.map((ms) => view({ occurred_at: at(ms) })) }, key);
  expect(statuses(answer)).toEqual(['accepted', 'rejected', 'accepted', 'rejected']);
});

test('a hit that is sent again under its own id is stored once', async () => {
  const key = gateway.newKey();
  const answers = [await track(view({ hit_id: 'h1' }), key), await track(view({ hit_id: 'h1' }), key)];
  expect(answers.map(({ status }) => status)).toEqual([202, 202]);
  expect(await countStored(key.workspaceId)).toBe(1);
});

test('visitors without an id are told apart by address and user agent', async () => {
  const key = gateway.newKey();
  const visitor = { ip: '192.0.2.1', user_agent: 'Mozilla/5.0' };
  await track({ hits: [view({ visitor }), view({ visitor }), view({ visitor: { ...visitor, ip: '2001:db8::1' } }), view()] }, key);
  const ids = (await stored(key.workspaceId, 4)).map(({ hit }) => hit.visitorId);
  expect(new Set(ids).size).toBe(3);
  for (const id of ids) expect(id).toMatch(/^[\w-]{22}$/);
});

test('no hit that was accepted is lost, and none is doubled, when nats-server is killed in between', async () => {
  const key = gateway.newKey();
  const accepted = new Set<string>();
  let restarted: Promise<void> | undefined;
  let isBack = false;
  const sendUntilBack = async (sender: number): Promise<void> => {
    for (let i = 0, isLast = false; !isLast; i++) {
      isLast = isBack;
      const answer = await track({ hits: Array.from({ length: 20 }, (_, n) => view({ hit_id: `${sender}-${i}-${n}` })) }, key);
      expect([202, 503]).toContain(answer.status);
      for (const { hit_id, status } of answer.body.results ?? []) if (status === 'accepted') accepted.add(hit_id);
      if (accepted.size > 200) restarted ??= gateway.bed.restartNats().then(() => void (isBack = true));
    }
  };
  await Promise.all([1, 2, 3].map(sendUntilBack));
  const hits = await stored(key.workspaceId, await countStored(key.workspaceId));
  const ids = hits.map(({ hit }) => hit.id);
  expect([...accepted].filter((id) => !ids.includes(id))).toEqual([]);
  expect(new Set(ids).size).toBe(ids.length);
});
