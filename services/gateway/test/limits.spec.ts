// The rate limit of a key, over all gateways together.
import { create, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { applyKeyChangeSubject, KeyChangedSchema } from '@na/contracts';
import { eventually } from '@na/testing';
import pg from 'pg';
import { GatewayBed, operatorToken, type Answer, type TestKey } from './gateway.bed.js';

const limit = 50;
const defaults = { rateLimit: limit, rateLimitWindowSeconds: 60 };

let gateways: GatewayBed[];
let one: GatewayBed;
let admin: pg.Client;
beforeAll(async () => {
  one = await GatewayBed.start(defaults);
  gateways = [one, await one.startAnother(defaults), await one.startAnother(defaults)];
  for (const gateway of gateways) await gateway.holdsLease();
  admin = new pg.Client({ connectionString: one.bed.database.adminUrl });
  await admin.connect();
});
afterAll(async () => {
  await admin.end();
  await one.stop();
});

const send = (gateway: GatewayBed, { headers }: TestKey) => gateway.get('/api/v1/event-types', headers);
const rateOf = ({ headers }: Answer) => [headers.get('ratelimit-policy'), headers.get('ratelimit')];
const admitted = (answers: Answer[]) => answers.filter(({ status }) => status === 200).length;

/** As many at once as `times` the limit, spread evenly. */
function race(over: GatewayBed[], key: TestKey, requests: number): Promise<Answer[]> {
  return Promise.all(Array.from({ length: requests }, (_, i) => send(over[i % over.length]!, key)));
}

async function untilRefused(gateway: GatewayBed, key: TestKey): Promise<number> {
  for (let count = 0; ; count++) if ((await send(gateway, key)).status === 429) return count;
}

/** To the first moment of a window: no test is to be caught by its end. */
function startWindow(seconds = 60): void {
  const lengthMs = seconds * 1_000;
  one.bed.clock.set(new Date((Math.floor(one.bed.clock.now().getTime() / lengthMs) + 1) * lengthMs));
}

test('of ten times the limit at once on one gateway, exactly the limit gets through', async () => {
  startWindow();
  const answers = await race([one], one.newKey(), 10 * limit);
  expect(admitted(answers)).toBe(limit);
  for (const { status, headers, body } of answers.filter((answer) => answer.status !== 200)) {
    expect([status, body.code, headers.get('retry-after'), headers.get('ratelimit')]).toEqual([429, 'rate_limited', '60', '"default";r=0;t=60']);
  }
});

test('of ten times the limit at once on three gateways, exactly the limit gets through', async () => {
  startWindow();
  const key = one.newKey();
  expect(admitted(await race(gateways, key, 10 * limit))).toBe(limit);
  expect(admitted(await race(gateways, key, 30))).toBe(0);
});

test('a gateway that is given up on keeps no more than its share from the others', async () => {
  startWindow();
  const key = one.newKey({ rateLimit: { limit: 160, windowSeconds: 60 } });
  await send(gateways[0]!, key);
  expect(await untilRefused(gateways[1]!, key)).toBe(150);
  expect(await untilRefused(gateways[0]!, key)).toBe(9);
});

test('every answer to a known key says what is left, also when it refuses', async () => {
  startWindow();
  const key = one.newKey({ scopes: ['pages:read'] });
  const policy = '"default";q=50;w=60';
  expect(rateOf(await send(one, key))).toEqual([policy, '"default";r=49;t=60']);
  one.bed.clock.advance(20_500);
  const narrow = await one.get('/api/v1/webhooks', key.headers);
  expect([narrow.status, ...rateOf(narrow)]).toEqual([403, policy, '"default";r=48;t=40']);
  const elsewhere = await one.get('/api/v1/pages', { ...key.headers, 'x-workspace-id': one.newKey().workspaceId });
  expect([elsewhere.status, ...rateOf(elsewhere)]).toEqual([403, policy, '"default";r=47;t=40']);
  const bad = await one.get('/api/v1/pages?limit=0', key.headers);
  expect([bad.status, ...rateOf(bad)]).toEqual([400, policy, '"default";r=46;t=40']);
  const stranger = await one.get('/api/v1/pages', { ...key.headers, authorization: 'Bearer nak_x' });
  expect([stranger.status, ...rateOf(stranger)]).toEqual([401, null, null]);
});

const nowhere: [what: string, status: number, method: string, path: string][] = [
  ['an address that does not exist', 404, 'GET', '/api/v1/nowhere'],
  ['a method that an address does not answer', 405, 'PUT', '/api/v1/pages'],
];

test.each(nowhere)('%s counts for whoever sends a key, and the answer says what is left', async (_what, status, method, path) => {
  startWindow();
  const { authorization } = one.newKey({ rateLimit: { limit: 2, windowSeconds: 60 } }).headers;
  const answers = [];
  for (let i = 0; i < 3; i++) answers.push(await one.send(method, path, { authorization: authorization! }));
  const policy = '"default";q=2;w=60';
  expect(answers.map((answer) => [answer.status, ...rateOf(answer)])).toEqual([
    [status, policy, '"default";r=1;t=60'],
    [status, policy, '"default";r=0;t=60'],
    [429, policy, '"default";r=0;t=60'],
  ]);
});

test.each(nowhere)('%s is told to whoever sends no key, and to the operator, whom nothing limits', async (_what, status, method, path) => {
  for (const token of [undefined, operatorToken]) {
    const answer = await one.send(method, path, token === undefined ? {} : { authorization: `Bearer ${token}` });
    expect([answer.status, ...rateOf(answer)]).toEqual([status, null, null]);
  }
});

test.each(nowhere)('%s is no place to try keys out', async (_what, _status, method, path) => {
  const { status, body, headers } = await one.send(method, path, { authorization: 'Bearer nak_x' });
  expect([status, body.code, headers.get('www-authenticate')]).toEqual([401, 'unauthenticated', 'Bearer realm="api", error="invalid_token"']);
});

test('what is outside the API asks for no key, whatever is sent', async () => {
  const answer = await one.get('/nowhere', { authorization: 'Bearer nak_x' });
  expect([answer.status, ...rateOf(answer)]).toEqual([404, null, null]);
});

test('the next window begins anew', async () => {
  startWindow();
  const key = one.newKey();
  expect(await untilRefused(one, key)).toBe(limit);
  one.bed.clock.advance(59_999);
  expect((await send(one, key)).status).toBe(429);
  one.bed.clock.advance(1);
  expect(await untilRefused(one, key)).toBe(limit);
});

test('a limit of the key itself goes before the default, and one key is no business of another', async () => {
  startWindow(3_600);
  const key = one.newKey({ rateLimit: { limit: 3, windowSeconds: 3_600 } });
  expect(await untilRefused(one, key)).toBe(3);
  const { headers } = await send(one, key);
  expect([headers.get('ratelimit-policy'), headers.get('retry-after')]).toEqual(['"default";q=3;w=3600', '3600']);
  expect((await send(one, one.newKey())).status).toBe(200);
});

/** As key-management changes a key: every gateway goes by it from here on. */
async function limitTo(key: TestKey, max: number, windowSeconds: number): Promise<void> {
  const row = one.state.keys.get(key.id)!;
  Object.assign(row, { version: (row.version ?? 1) + 1, rateLimit: { limit: max, windowSeconds } });
  const change = create(KeyChangedSchema, { workspaceId: key.workspaceId, keyId: key.id, version: row.version });
  const wanted = { strategy: 'count', maxMessages: gateways.length, maxWait: 10_000 } as const;
  for await (const { data } of await one.bed.bus.connection.requestMany(applyKeyChangeSubject, toBinary(KeyChangedSchema, change), wanted)) expect(data).not.toHaveLength(0);
}

test('changing a limit gives a key nothing back, whatever to and on whichever gateway', async () => {
  startWindow(3_600);
  const key = one.newKey();
  expect(await untilRefused(one, key)).toBe(limit);
  for (const [max, windowSeconds] of [[49, 60], [50, 61], [50, 3_600], [25, 30], [50, 60]] as const) {
    await limitTo(key, max, windowSeconds);
    expect([windowSeconds, admitted(await race(gateways, key, 30))]).toEqual([windowSeconds, 0]);
  }
  startWindow(3_600);
  expect(await untilRefused(one, key)).toBe(limit);
});

test('what was taken of a long window counts by proportion in a short one, and what was taken there in the long one', async () => {
  startWindow(3_600);
  const key = one.newKey({ rateLimit: { limit: 320, windowSeconds: 3_600 } });
  expect(admitted(await race([one], key, 20))).toBe(20);
  await limitTo(key, 32, 60);
  expect(admitted(await race([one], key, 40))).toBe(31);
  for (let minute = 2; minute <= 3; minute++) {
    one.bed.clock.advance(60_000);
    expect([minute, admitted(await race([one], key, 40))]).toEqual([minute, 32]);
  }
  await limitTo(key, 320, 3_600);
  expect(admitted(await race([one], key, 300))).toBe(320 - 20 - 31 - 2 * 32);
  await limitTo(key, 32, 60);
  one.bed.clock.advance(60_000);
  expect(admitted(await race([one], key, 40))).toBe(32 - 4);
});

test('what was taken before a change to a short window counts in the first one, and in no later one on whichever gateway', async () => {
  startWindow(3_600);
  const key = one.newKey({ rateLimit: { limit: 10, windowSeconds: 3_600 } });
  for (const gateway of gateways) expect((await send(gateway, key)).status).toBe(200);
  await limitTo(key, 2, 1);
  expect(admitted(await race([one], key, 5))).toBe(1);
  for (const gateway of [...gateways, ...gateways]) {
    one.bed.clock.advance(1_000);
    expect(admitted(await race([gateway], key, 5))).toBe(2);
  }
  one.bed.clock.advance(3_593_000);
  expect(admitted(await race(gateways, key, 10))).toBe(2);
});

test('what a window gave counts once in windows of another length, also where it overlaps two of them', async () => {
  startWindow(3_600);
  one.bed.clock.advance(50_000);
  const key = one.newKey({ rateLimit: { limit: 20, windowSeconds: 50 } });
  expect(admitted(await race([one], key, 5))).toBe(5);
  await limitTo(key, 20, 60);
  expect(admitted(await race([one], key, 30))).toBe(15);
  one.bed.clock.advance(10_000);
  expect(admitted(await race(gateways, key, 30))).toBe(20);
});

test('while the database is gone each gateway counts for itself, and together again when it is back', async () => {
  startWindow();
  await admin.query('ALTER TABLE gateway.rate_windows RENAME TO away');
  const key = one.newKey();
  expect(admitted(await race([gateways[0]!], key, 2 * limit))).toBe(limit);
  expect(admitted(await race([gateways[1]!], key, 2 * limit))).toBe(limit);
  await admin.query('ALTER TABLE gateway.away RENAME TO rate_windows');
  await countedTogether();
});

test('a database that hangs holds nobody up for good', async () => {
  startWindow();
  const key = one.newKey();
  await admin.query('BEGIN');
  await admin.query('LOCK TABLE gateway.rate_windows IN ACCESS EXCLUSIVE MODE');
  expect(await untilRefused(one, key)).toBe(limit);
  await admin.query('ROLLBACK');
  await countedTogether();
});

test('windows that are over are deleted, and the one in hand is kept', async () => {
  startWindow(3_600);
  const key = one.newKey({ rateLimit: { limit: 3, windowSeconds: 3_600 } });
  expect(await untilRefused(one, key)).toBe(3);
  const endedAt = new Date(one.bed.clock.now().getTime() - 301_000);
  await admin.query("INSERT INTO gateway.rate_windows VALUES ('key_old', $1, 1, 1, 1)", [endedAt]);
  one.bed.clock.advance(60_000);
  await eventually(async () => {
    const { rows } = await admin.query<{ key_id: string }>('SELECT key_id FROM gateway.rate_windows WHERE key_id = ANY ($1)', [['key_old', key.id]]);
    expect(rows).toEqual([{ key_id: key.id }]);
  });
  expect((await send(gateways[1]!, key)).status).toBe(429);
});

/** After an outage a gateway tries the database again a moment later. */
async function countedTogether(): Promise<void> {
  await eventually(async () => {
    startWindow();
    expect(admitted(await race(gateways, one.newKey(), 6 * limit))).toBe(limit);
  });
}
