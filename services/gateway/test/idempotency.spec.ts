import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { request as httpRequest } from 'node:http';
import { Controller, Module } from '@nestjs/common';
import { EndpointService, GoalService, type CreateGoalRequest, type RotateSecretRequest } from '@na/contracts';
import { RpcMethod, sealReply, serveOnBus } from '@na/messaging';
import { ServiceError } from '@na/service-error';
import { eventually } from '@na/testing';
import pg from 'pg';
import { GatewayBed, operatorToken, type Answer, type TestKey } from './gateway.bed.js';

/** What CreateGoal does next, how often it was asked, for which ids, and a name to answer with in place of the given one. */
const goals = { asked: 0, ids: [] as string[], name: '', answer: async (): Promise<void> => {} };

@Controller()
class FakeGoals {
  @RpcMethod(GoalService.method.createGoal)
  async createGoal({ id, name }: CreateGoalRequest) {
    goals.asked += 1;
    goals.ids.push(id);
    await goals.answer();
    return { goal: { id, name: goals.name || name } };
  }

  @RpcMethod(EndpointService.method.rotateSecret)
  async rotateSecret({ id, replyPublicKey }: RotateSecretRequest) {
    return { endpoint: { id }, sealedSecret: sealReply('whsec_shown_once', replyPublicKey) };
  }
}

@Module({})
class FakeGoalsModule {}

const held: (() => void)[] = [];

/** CreateGoal answers nobody until it is let go, at the end of the test at the latest. */
function hold(): { arrived: Promise<void>; release: () => void } {
  const [arrived, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  held.push(released.resolve);
  goals.answer = () => (arrived.resolve(), released.promise);
  return { arrived: arrived.promise, release: released.resolve };
}

const goal = { name: 'Signup', event_name: 'signup' };
const dayMs = 24 * 60 * 60 * 1_000;

let gateway: GatewayBed;
let database: pg.Client;
let key: TestKey;
beforeAll(async () => {
  gateway = await GatewayBed.start();
  await serveOnBus({ module: FakeGoalsModule, controllers: [FakeGoals] }, gateway.bed.bus, gateway.bed.natsUrl, gateway.bed.host('reporting'));
  database = new pg.Client({ connectionString: gateway.bed.database.adminUrl, options: '-c search_path=gateway' });
  await database.connect();
});
afterAll(async () => {
  await database.end();
  await gateway.stop();
});
beforeEach(() => {
  key = newKey();
  goals.asked = 0;
  goals.ids = [];
  goals.name = '';
});
afterEach(() => {
  for (const release of held.splice(0)) release();
  goals.answer = async () => {};
});

const newKey = (overrides: Partial<TestKey> = {}) => gateway.newKey({ scopes: ['goals:write', 'pages:write', 'keys:write', 'keys:read', 'webhooks:write', 'track:write'], ...overrides });
const post = (idempotencyKey: string, body: unknown = goal, path = '/api/v1/goals', headers = key.headers) => gateway.post(path, body, { ...headers, 'idempotency-key': idempotencyKey });
const outcome = ({ status, body }: Answer) => [status, body.code];
const isReplayed = ({ headers }: Answer) => headers.get('idempotency-replayed') === 'true';
const shown = ({ status, headers, body }: Answer) => ({ status, body, location: headers.get('location'), etag: headers.get('etag'), type: headers.get('content-type') });

test('the same request again is answered as the first one, and not carried out again', async () => {
  const first = await post('order-1');
  const again = await post('"order-1"');
  expect([first.status, isReplayed(first), isReplayed(again), goals.asked]).toEqual([201, false, true, 1]);
  expect(shown(again)).toEqual(shown(first));
  expect(shown(first)).toMatchObject({ location: `/api/v1/goals/${first.body.id}`, etag: expect.stringMatching(/^"/) });
  expect(again.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'));
});

test('another body, and another address, are refused, and nothing is done', async () => {
  await post('order-1');
  expect(outcome(await post('order-1', { ...goal, name: 'Other' }))).toEqual([422, 'idempotency_key_reused']);
  expect(outcome(await post('order-1', goal, '/api/v1/pages'))).toEqual([422, 'idempotency_key_reused']);
  expect(goals.asked).toBe(1);
});

test('the same key in another workspace is another key', async () => {
  const other = newKey();
  const [mine, theirs] = [await post('order-1'), await post('order-1', goal, '/api/v1/goals', other.headers)];
  expect([mine.status, theirs.status, isReplayed(theirs), goals.asked]).toEqual([201, 201, false, 2]);
});

test('another key of the same workspace meets the same answer', async () => {
  const colleague = newKey({ workspaceId: key.workspaceId });
  const first = await post('order-1');
  expect(shown(await post('order-1', goal, '/api/v1/goals', colleague.headers))).toEqual(shown(first));
});

test('of fifty at once one is carried out, and the others are told to come back', async () => {
  const { release } = hold();
  const requests = Array.from({ length: 50 }, () => post('order-1'));
  const early = await Promise.race(requests);
  expect([...outcome(early), early.headers.get('retry-after')]).toEqual([409, 'idempotency_key_in_use', '1']);
  release();
  const answers = await Promise.all(requests);
  const carriedOut = answers.filter((answer) => answer.status === 201 && !isReplayed(answer));
  expect([carriedOut.length, goals.asked]).toEqual([1, 1]);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 409]));
  expect(isReplayed(await post('order-1'))).toBe(true);
});

test('what was refused was not done, and its key may be used again for something else', async () => {
  expect(outcome(await post('order-1', { name: '' }))).toEqual([400, 'invalid_request']);
  goals.answer = () => Promise.reject(new ServiceError('conflict', 'Taken.'));
  expect(outcome(await post('order-1'))).toEqual([409, 'conflict']);
  goals.answer = async () => {};
  const answer = await post('order-1', { ...goal, name: 'Another' });
  expect([answer.status, isReplayed(answer)]).toEqual([201, false]);
});

test('after a failure that leaves open what was done the same may come again at once, and nothing else', async () => {
  goals.answer = () => Promise.reject(new Error('The disk is full.'));
  expect(outcome(await post('order-1'))).toEqual([500, 'internal']);
  goals.answer = async () => {};
  expect(outcome(await post('order-1', { ...goal, name: 'Other' }))).toEqual([422, 'idempotency_key_reused']);
  expect([(await post('order-1')).status, isReplayed(await post('order-1'))]).toEqual([201, true]);
});

test('a second try that is refused leaves open what the first one did: nothing else may be done under its key', async () => {
  goals.answer = () => Promise.reject(new Error('The disk is full.'));
  expect(outcome(await post('order-1'))).toEqual([500, 'internal']);
  goals.answer = () => Promise.reject(new ServiceError('conflict', 'Taken.'));
  expect(outcome(await post('order-1'))).toEqual([409, 'conflict']);
  goals.answer = async () => {};
  expect(outcome(await post('order-1', { ...goal, name: 'Other' }))).toEqual([422, 'idempotency_key_reused']);
  expect((await post('order-1')).status).toBe(201);
  expect(new Set(goals.ids).size).toBe(1);
});

test('of what only reads nothing is kept, though it is a POST', async () => {
  const reader = newKey({ scopes: ['webhooks:read'] });
  const signed = { secret: `whsec_${'a'.repeat(32)}`, headers: { 'webhook-id': 'evt_1' }, body: '{"visitor":"ann"}' };
  const explain = (body: object) => post('order-1', body, '/api/v1/webhooks/signature/explain', reader.headers);
  const answers = [await explain(signed), await explain(signed), await explain({ ...signed, body: '{}' })];
  expect(answers.map((answer) => [answer.status, isReplayed(answer)])).toEqual([[200, false], [200, false], [200, false]]);
  const { rows } = await database.query('SELECT FROM idempotency_records WHERE workspace_id = $1', [reader.workspaceId]);
  expect(rows).toEqual([]);
});

test('an answer is kept for a day, to the millisecond, and then gone', async () => {
  const first = await post('order-1');
  gateway.bed.clock.advance(dayMs - 1);
  expect(shown(await post('order-1'))).toEqual(shown(first));
  gateway.bed.clock.advance(1);
  const next = await post('order-1', { ...goal, name: 'Next day' });
  expect([next.status, isReplayed(next)]).toEqual([201, false]);
  gateway.bed.clock.advance(dayMs);
  await eventually(async () => {
    const { rows } = await database.query('SELECT FROM idempotency_records WHERE workspace_id = $1', [key.workspaceId]);
    expect(rows).toEqual([]);
  });
});

test('another gateway knows the answer, and a new one after a restart', async () => {
  const first = await post('order-1');
  const another = await gateway.startAnother();
  const again = await another.post('/api/v1/goals', goal, { ...key.headers, 'idempotency-key': 'order-1' });
  await another.stopGateway();
  expect([shown(again), isReplayed(again)]).toEqual([shown(first), true]);
});

test('a client that hung up before the answer gets it when it asks again', async () => {
  const { arrived, release } = hold();
  const headers = { ...key.headers, 'content-type': 'application/json', 'idempotency-key': 'order-1' };
  const request = httpRequest({ port: gateway.port, method: 'POST', path: '/api/v1/goals', headers }).on('error', () => undefined);
  request.end(JSON.stringify(goal));
  await arrived;
  request.destroy();
  release();
  const answer = await eventually(async () => {
    const again = await post('order-1');
    expect(again.status).toBe(201);
    return again;
  });
  expect([isReplayed(answer), goals.asked]).toEqual([true, 1]);
});

test('what a gateway that died had in hand may be tried again after a minute, as the same request only', async () => {
  const { arrived, release } = hold();
  const hanging = post('order-1');
  await arrived;
  goals.answer = async () => {};
  gateway.bed.clock.advance(59_999);
  expect(outcome(await post('order-1'))).toEqual([409, 'idempotency_key_in_use']);
  gateway.bed.clock.advance(1);
  expect(outcome(await post('order-1', { ...goal, name: 'Other' }))).toEqual([422, 'idempotency_key_reused']);
  const second = await post('order-1');
  release();
  const first = await hanging;
  expect([first.status, second.status, isReplayed(second)]).toEqual([201, 201, false]);
  expect((await post('order-1')).body.id).toBe(second.body.id);
});

test('a key that an earlier try made without telling is not made again: it is shown, without its secret', async () => {
  const wanted = { name: 'CI', scopes: ['pages:read'] };
  gateway.state.createKeyFault = new ServiceError('deadline_exceeded', 'Too late.');
  expect(outcome(await post('key-1', wanted, '/api/v1/keys'))).toEqual([504, 'deadline_exceeded']);
  const second = await post('key-1', wanted, '/api/v1/keys');
  const ids = [...gateway.state.keys.values()].filter(({ workspaceId, id }) => workspaceId === key.workspaceId && id !== key.id).map(({ id }) => id);
  expect([second.status, second.body.secret, ids]).toEqual([201, null, [second.body.id]]);
});

test('a secret is in the first answer only, and stands nowhere in the database', async () => {
  const wanted = { name: 'CI', scopes: ['pages:read'] };
  const [made, again] = [await post('key-1', wanted, '/api/v1/keys'), await post('key-1', wanted, '/api/v1/keys')];
  expect([made.body.secret, again.body]).toEqual([expect.stringMatching(/^nak_/), { ...made.body, secret: null }]);
  const rotate = `/api/v1/webhooks/${gateway.state.endpointId}/secret/rotate`;
  const [rotated, rotatedAgain] = [await post('we-1', {}, rotate), await post('we-1', {}, rotate)];
  expect([rotated.body.secret, rotatedAgain.body]).toEqual(['whsec_shown_once', { ...rotated.body, secret: null }]);
  const { rows } = await database.query('SELECT r::text AS text FROM idempotency_records r WHERE workspace_id = $1', [key.workspaceId]);
  expect(rows).toHaveLength(2);
  expect(JSON.stringify(rows)).not.toMatch(/nak_|whsec_/);
});

test('an answer too large to be kept is not given twice, and the request not carried out twice', async () => {
  goals.name = 'x'.repeat(200 * 1024);
  const [first, again] = [await post('order-1'), await post('order-1')];
  expect([first.status, ...outcome(again), goals.asked]).toEqual([201, 409, 'conflict', 1]);
  expect(again.body.detail).toContain('too large to be kept');
});

const view = { type: 'pageview', url: 'https://example.com' };
const longestId = (index: number) => String(index).padStart(64, 'x');

test('the answer to a thousand good hits is kept as it is', async () => {
  const hits = Array.from({ length: 1_000 }, (_, index) => ({ ...view, hit_id: longestId(index) }));
  const [first, again] = [await post('batch-1', { hits }, '/api/v1/track'), await post('batch-1', { hits }, '/api/v1/track')];
  expect([first.status, isReplayed(again)]).toEqual([202, true]);
  expect(shown(again)).toEqual(shown(first));
});

test('of an answer to hits that is too large, what became of each hit is kept, and not what is wrong with it', async () => {
  const bad = Array.from({ length: 998 }, (_, index) => ({ ...view, hit_id: longestId(index), [`x${'y'.repeat(500)}`]: 1 }));
  const hits = [...bad, { ...view, hit_id: 'z'.repeat(65) }, view];
  const [first, again] = [await post('batch-1', { hits }, '/api/v1/track'), await post('batch-1', { hits }, '/api/v1/track')];
  expect([first.status, again.status, isReplayed(again)]).toEqual([202, 202, true]);
  const error = { code: 'invalid_request', detail: 'Told in the first answer.', errors: [] };
  const rejected = [...bad.map(({ hit_id }) => hit_id), null].map((hit_id) => ({ hit_id, status: 'rejected', error }));
  expect(again.body.results).toEqual([...rejected, first.body.results.at(-1)]);
});

test('row-level security stands behind the code: a statement without a scope sees no record, and one with a scope its own', async () => {
  await post('order-1');
  const other = newKey();
  await post('order-1', goal, '/api/v1/goals', other.headers);
  const service = new pg.Client({ connectionString: gateway.bed.database.urls.gateway });
  await service.connect();
  const workspaces = async () => (await service.query<{ workspace_id: string }>('SELECT workspace_id FROM gateway.idempotency_records')).rows.map((row) => row.workspace_id);
  const unscoped = await workspaces();
  await service.query(`SET na.workspace_id = '${other.workspaceId}'`);
  const own = await workspaces();
  await service.end();
  expect([unscoped, own]).toEqual([[], [other.workspaceId]]);
});

test('what is no key is refused: taken for none, the request would be done twice', async () => {
  expect(outcome(await post('x'.repeat(256)))).toEqual([400, 'invalid_request']);
  const twice = ['Authorization', key.headers.authorization!, 'X-Workspace-Id', key.workspaceId, 'Idempotency-Key', 'a', 'Idempotency-Key', 'b', 'Content-Length', '0'];
  const answer = await gateway.sendRaw('/api/v1/goals', twice, 'POST');
  expect(outcome(answer)).toEqual([400, 'invalid_request']);
  expect(goals.asked).toBe(0);
});

test('the operator has the keys of requests that are about no workspace', async () => {
  const headers = { authorization: `Bearer ${operatorToken}` };
  const [first, again] = [await post('ws-1', { name: 'Acme' }, '/api/v1/workspaces', headers), await post('ws-1', { name: 'Acme' }, '/api/v1/workspaces', headers)];
  expect([first.status, isReplayed(again), again.body.id]).toEqual([201, true, first.body.id]);
});

test('while the database is away nothing is done that a repeat could do again', async () => {
  await database.query('ALTER TABLE idempotency_records RENAME TO idempotency_records_away');
  const answer = await post('order-1');
  await database.query('ALTER TABLE idempotency_records_away RENAME TO idempotency_records');
  expect([...outcome(answer), goals.asked]).toEqual([503, 'unavailable', 0]);
});
