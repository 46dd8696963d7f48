// The conventions of the API where they need both sides: the gateway and the services behind it, as they run in a deployment.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually, TestSystem, WebhookReceiver, type ApiAnswer, type Credentials } from '@na/testing';
import pg from 'pg';

let system: TestSystem;
let database: pg.Client;
beforeAll(async () => {
  system = await TestSystem.start();
  database = new pg.Client({ connectionString: system.database.adminUrl });
  await database.connect();
}, 60_000);
afterAll(async () => {
  await database.end();
  await system.stop();
});

const operatorIn = (workspaceId: string): Credentials => ({ token: system.operatorToken, workspaceId });
const outcome = ({ status, body }: ApiAnswer) => [status, body?.code];
const withTag = (credentials: Credentials, answer: ApiAnswer) => ({ ...credentials, headers: { 'if-match': answer.headers.get('etag')! } });

test.each([
  ['key', '/keys', { name: 'CI', scopes: ['pages:read'], rate_limit: { limit: 5, window_seconds: 60 } }, { name: 'New' }],
  ['webhook', '/webhooks', { url: 'https://example.com/hook', event_types: ['*'], headers: { 'x-b': '1', 'x-a': '2' } }, { description: 'New' }],
])('a %s is changed by who has its current ETag, and by nobody else', async (_what, collection, wanted, patch) => {
  const credentials = await system.createWorkspace({ scopes: ['keys:read', 'keys:write', 'pages:read', 'webhooks:read', 'webhooks:write'] });
  const made = await system.api('POST', collection, credentials, wanted);
  const path = `${collection}/${made.body.id}`;
  const read = await system.api('GET', path, credentials);
  expect([made.status, read.headers.get('etag')]).toEqual([201, made.headers.get('etag')]);
  const changed = await system.api('PATCH', path, withTag(credentials, read), patch);
  expect([changed.status, changed.headers.get('etag') === read.headers.get('etag')]).toEqual([200, false]);
  expect(outcome(await system.api('PATCH', path, withTag(credentials, read), patch))).toEqual([412, 'precondition_failed']);
  expect(outcome(await system.api('DELETE', path, withTag(credentials, read)))).toEqual([412, 'precondition_failed']);
  expect((await system.api('DELETE', path, withTag(credentials, changed))).status).toBeLessThan(300);
});

test('a workspace is changed by who has its current ETag', async () => {
  const { workspaceId } = await system.createWorkspace();
  const read = await system.api('GET', `/workspaces/${workspaceId}`, operatorIn(workspaceId));
  const change = () => system.api('PATCH', `/workspaces/${workspaceId}`, withTag(operatorIn(workspaceId), read), { name: 'New' });
  expect([(await change()).status, (await change()).status]).toEqual([200, 412]);
});

test('what a gateway was making when it was killed is made once: its repeat shows the key, without the secret that died with it', async () => {
  const { workspaceId } = await system.createWorkspace();
  const request = { ...operatorIn(workspaceId), headers: { 'idempotency-key': 'first-key' } };
  const wanted = { name: 'Made once', scopes: ['pages:read'] };
  const rowsOf = async (sql: string) => (await database.query(sql, [workspaceId])).rows;
  system.signal('key-management', 'SIGSTOP');
  const unanswered = system.api('POST', '/keys', request, wanted).catch(() => 'unanswered');
  await eventually(async () => expect(await rowsOf('SELECT FROM gateway.idempotency_records WHERE workspace_id = $1')).toHaveLength(1));
  await database.query('BEGIN; LOCK gateway.idempotency_records IN EXCLUSIVE MODE');
  system.signal('key-management', 'SIGCONT');
  await eventually(async () => expect(await rowsOf(`SELECT FROM key_management.keys WHERE workspace_id = $1 AND name = 'Made once'`)).toHaveLength(1));
  await system.kill('gateway');
  await database.query('COMMIT');
  expect(await unanswered).toBe('unanswered');
  await system.restart('gateway');
  expect(outcome(await system.api('POST', '/keys', request, wanted))).toEqual([409, 'idempotency_key_in_use']);
  await database.query(`UPDATE gateway.idempotency_records SET claimed_at = claimed_at - interval '1 minute'`);
  const repeat = await system.api('POST', '/keys', request, wanted);
  const keys = (await system.api('GET', '/keys?name=made', operatorIn(workspaceId))).body.data.map(({ id }: { id: string }) => id);
  expect([repeat.status, repeat.body.secret, keys]).toEqual([201, null, [repeat.body.id]]);
});

test('a leaked key is refused once its report is answered, and the audit log says so', async () => {
  const { token, workspaceId } = await system.createWorkspace({ scopes: ['keys:read'] });
  const { body } = await system.api('GET', '/keys/current', { token, workspaceId });
  expect((await system.api('POST', '/keys/leaked', {}, { keys: ['nak_nonsense', token] })).status).toBe(202);
  expect((await system.api('GET', '/keys/current', { token, workspaceId })).status).toBe(401);
  const { body: log } = await system.api('GET', `/audit-log?target=${body.id}&action=key.revoked`, operatorIn(workspaceId));
  expect(log.data).toMatchObject([{ actor: 'leak_report', before: { status: 'active' }, after: { status: 'revoked', revoked_reason: 'leaked' } }]);
});

test('no key of a suspended workspace is let in once the suspension is answered, until it is resumed', async () => {
  const { token, workspaceId } = await system.createWorkspace();
  const pages = () => system.api('GET', '/pages', { token, workspaceId });
  expect((await pages()).status).toBe(200);
  await system.api('POST', `/workspaces/${workspaceId}/suspend`, operatorIn(workspaceId));
  expect(outcome(await pages())).toEqual([403, 'workspace_suspended']);
  await system.api('POST', `/workspaces/${workspaceId}/resume`, operatorIn(workspaceId));
  expect((await pages()).status).toBe(200);
});

test('a trace that nobody records is carried on all the same: into log lines, over the bus, to the webhook', async () => {
  const receiver = await WebhookReceiver.start();
  const credentials = await system.createWorkspace();
  await system.api('POST', '/webhooks', credentials, { url: receiver.url, event_types: ['page.created'] });
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
  await system.api('POST', '/pages', { ...credentials, headers }, { url: 'https://example.com/', title: 'Home' });
  const [request] = await receiver.received(1);
  expect(request!.headers.traceparent).toBe(headers.traceparent);
  // Of flags that mean nothing yet the bus could not carry all.
  const oddFlags = { traceparent: headers.traceparent.replace(/01$/, 'ff') };
  await system.api('POST', '/pages', { ...credentials, headers: oddFlags }, { url: 'https://example.com/about', title: 'About' });
  const [, later] = await receiver.received(2);
  expect(later!.headers.traceparent).toBe(headers.traceparent);
  await receiver.stop();
  const shown = await eventually(async () => {
    const { body } = await system.api('GET', `/deliveries/${request!.headers['x-webhook-delivery'] as string}`, credentials);
    if (body.attempts !== 1) throw new Error('the attempt is not recorded yet');
    return body;
  });
  expect(shown.request.headers).toMatchObject({ traceparent: request!.headers.traceparent });
  await eventually(async () => {
    for (const service of ['gateway', 'webhook-dispatcher'] as const) expect(system.logOf(service)).toContain(`"trace_id":"${traceId}"`);
  });
});
