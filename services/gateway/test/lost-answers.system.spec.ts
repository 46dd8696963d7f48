// A request whose answer was lost is sent again under its Idempotency-Key, on the processes as they run in a deployment: the
// services know what the first try did, and it is not done twice.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { scopes } from '@na/contracts';
import { eventually, TestSystem, WebhookReceiver, type Credentials, type Json } from '@na/testing';
import pg from 'pg';

let system: TestSystem;
let receiver: WebhookReceiver;
let database: pg.Client;
beforeAll(async () => {
  [system, receiver] = await Promise.all([TestSystem.start(), WebhookReceiver.start()]);
  database = new pg.Client({ connectionString: system.database.adminUrl });
  await database.connect();
}, 60_000);
afterAll(async () => {
  await database.end();
  await Promise.all([system.stop(), receiver.stop()]);
});

interface Tenant {
  credentials: Required<Pick<Credentials, 'token' | 'workspaceId'>>;
  keyId: string;
  webhookId: string;
  /** Of a delivery that has succeeded. */
  deliveryId: string;
}

async function newTenant(): Promise<Tenant> {
  const credentials = await system.createWorkspace({ scopes: [...scopes] });
  const webhook = await system.api('POST', '/webhooks', credentials, { url: receiver.url, event_types: ['goal.converted'] });
  const sent = await system.api('POST', `/webhooks/${webhook.body.id}/test`, credentials, { event_type: 'page.created' });
  const deliveryId = sent.body.delivery_id;
  await delivered(credentials, deliveryId, 1);
  return { credentials, keyId: `key_${credentials.token.split('_')[1]}`, webhookId: webhook.body.id, deliveryId };
}

function delivered(credentials: Credentials, id: string, attempts: number): Promise<void> {
  return eventually(async () => {
    const { body } = await system.api('GET', `/deliveries/${id}`, credentials);
    expect(body).toMatchObject({ status: 'succeeded', attempts });
  });
}

const countOf = async (what: string, workspaceId: string) => (await database.query(`SELECT FROM ${what}`, [workspaceId])).rowCount;

/** Leaves the record as a try does that ended without anyone knowing how. */
async function loseAnswer(key: string): Promise<void> {
  const lost = await database.query('UPDATE gateway.idempotency_records SET status = NULL, headers = NULL, body = NULL, claimed_at = NULL WHERE key = $1', [key]);
  expect(lost.rowCount).toBe(1);
}

let lastKey = 0;

/** @returns the answers to the first try, to the second after the first one's answer was lost, and to a third one */
async function tryTwice(path: string, credentials: Credentials, body: Json, between: () => Promise<void> = async () => {}) {
  const key = `lost-${(lastKey += 1)}`;
  const send = () => system.api('POST', path, { ...credentials, headers: { 'idempotency-key': key } }, body);
  const first = await send();
  await loseAnswer(key);
  await between();
  return { first, second: await send(), third: await send() };
}

/** What a client knows a thing by. */
const identity = ({ id, delivery_id, event_id, created_at, rotated_at, results }: Json) => ({ id, delivery_id, event_id, created_at, rotated_at, results });

const hour = 3_600_000;
const window = { since: new Date(Date.now() - hour).toISOString(), until: new Date(Date.now() - hour / 2).toISOString() };
const hits = [{ type: 'pageview', url: 'https://example.com/' }, { type: 'event', name: 'signup', url: 'https://example.com/' }, { type: 'pageview', url: 'https://example.com/', hit_id: 'mine' }];

/** Which secret the second try shows. */
type Secret = 'none' | 'the same' | 'null';

test.each<[string, (tenant: Tenant) => [path: string, body: Json], Secret, string]>([
  ['a goal', () => ['/goals', { name: 'Sign-up', event_name: 'signup' }], 'none', 'reporting.goals WHERE workspace_id = $1'],
  ['a page', () => ['/pages', { url: 'https://example.com/pricing' }], 'none', 'reporting.pages WHERE workspace_id = $1'],
  ['a key', () => ['/keys', { name: 'Once', scopes: ['pages:read'] }], 'null', `key_management.keys WHERE workspace_id = $1 AND name = 'Once'`],
  ['a rotation of a key', ({ keyId }) => [`/keys/${keyId}/rotate`, {}], 'null', `key_management.audit_log WHERE workspace_id = $1 AND action = 'key.rotated'`],
  ['a webhook', () => ['/webhooks', { url: 'https://example.com/hook', event_types: ['*'] }], 'the same', `webhook_dispatcher.endpoints WHERE workspace_id = $1 AND event_types = '{*}'`],
  [
    'a rotation of a secret',
    ({ webhookId }) => [`/webhooks/${webhookId}/secret/rotate`, {}],
    'the same',
    'webhook_dispatcher.endpoints e, jsonb_array_elements(e.previous_secrets) WHERE e.workspace_id = $1',
  ],
  [
    'a test delivery',
    ({ webhookId }) => [`/webhooks/${webhookId}/test`, { event_type: 'goal.converted' }],
    'none',
    `webhook_dispatcher.deliveries d JOIN webhook_dispatcher.events e ON e.id = d.event_id WHERE d.workspace_id = $1 AND e.type = 'goal.converted'`,
  ],
  ['a replay', ({ webhookId }) => [`/webhooks/${webhookId}/replays`, window], 'none', 'webhook_dispatcher.replays WHERE workspace_id = $1'],
])('%s whose answer was lost is there once, and the second try shows it', async (_what, requestOf, secret, rows) => {
  const tenant = await newTenant();
  const { first, second, third } = await tryTwice(requestOf(tenant)[0], tenant.credentials, requestOf(tenant)[1]);
  expect(first.status).toBeLessThan(300);
  expect([second.status, second.headers.get('location')]).toEqual([first.status, first.headers.get('location')]);
  expect(identity(second.body)).toEqual(identity(first.body));
  expect(second.body.secret).toBe({ none: undefined, 'the same': first.body.secret, null: null }[secret]);
  expect([second.headers.get('idempotency-replayed'), third.headers.get('idempotency-replayed')]).toEqual([null, 'true']);
  expect(await countOf(rows, tenant.credentials.workspaceId)).toBe(1);
});

test('a workspace whose answer was lost is there once, and the second try shows it', async () => {
  const name = 'Only one';
  const { first, second } = await tryTwice('/workspaces', { token: system.operatorToken }, { name, time_zone: 'UTC' });
  expect([first.status, second.status, second.body]).toEqual([201, 201, first.body]);
  expect(await countOf('key_management.workspaces WHERE name = $1', name)).toBe(1);
});

test('a retry whose answer was lost brings one attempt, even when that is over by the second try', async () => {
  const { credentials, deliveryId } = await newTenant();
  const { first, second } = await tryTwice(`/deliveries/${deliveryId}/retry`, credentials, undefined, () => delivered(credentials, deliveryId, 2));
  expect([first.status, second.status]).toEqual([202, 202]);
  expect(second.body).toMatchObject({ id: deliveryId, status: 'succeeded', attempts: 2 });
});

test('hits whose answer was lost count once, with ids and times of their own or without', async () => {
  const { credentials } = await newTenant();
  const { first, second } = await tryTwice('/track', credentials, { hits });
  expect([first.status, second.status, second.body]).toEqual([202, 202, first.body]);
  expect(new Set(first.body.results.map(({ hit_id }: Json) => hit_id)).size).toBe(hits.length);
  // The table goes by the id and the time, long after the stream has forgotten the id.
  await eventually(async () => expect(await countOf('reporting.hits WHERE workspace_id = $1', credentials.workspaceId)).toBe(hits.length));
});

test('a replay that is running, and a disabled webhook, do not keep the second try from seeing what the first one made', async () => {
  const { credentials, webhookId } = await newTenant();
  const disable = async () => void (await system.api('POST', `/webhooks/${webhookId}/disable`, credentials, {}));
  const replay = await tryTwice(`/webhooks/${webhookId}/replays`, credentials, { ...window, until: new Date().toISOString(), statuses: ['succeeded'], rate_per_second: 1 }, disable);
  expect([replay.second.status, replay.second.body.id]).toEqual([202, replay.first.body.id]);
  await system.api('POST', `/webhooks/${webhookId}/enable`, credentials);
  const sent = await tryTwice(`/webhooks/${webhookId}/test`, credentials, { event_type: 'page.created' }, disable);
  expect([sent.second.status, sent.second.body]).toEqual([202, sent.first.body]);
});

test('a rotation that came between the tries stays: nothing is rotated, and no secret shown that is not the current one', async () => {
  const { credentials, webhookId, keyId } = await newTenant();
  const rotations: [string, Credentials][] = [
    [`/webhooks/${webhookId}/secret/rotate`, credentials],
    // Of two rotations the first ends the secret that the key itself would have to be rotated with.
    [`/keys/${keyId}/rotate`, { token: system.operatorToken, workspaceId: credentials.workspaceId }],
  ];
  for (const [path, by] of rotations) {
    let current: Json;
    const rotate = async () => void (current = await system.api('POST', path, by, {}));
    const { first, second } = await tryTwice(path, by, {}, rotate);
    expect([first.status, second.status, second.body]).toEqual([200, 200, { ...current.body, secret: null }]);
  }
});

test('a cancellation whose answer was lost is done, as the second try says', async () => {
  const { credentials } = await newTenant();
  const webhook = await system.api('POST', '/webhooks', credentials, { url: 'http://127.0.0.1:9/', event_types: ['page.created'] });
  const { body } = await system.api('POST', `/webhooks/${webhook.body.id}/test`, credentials, { event_type: 'page.created' });
  const { first, second } = await tryTwice(`/deliveries/${body.delivery_id}/cancel`, credentials, undefined);
  expect([first.status, second.status, second.body.status]).toEqual([200, 200, 'cancelled']);
});
