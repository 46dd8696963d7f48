import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Controller, Module } from '@nestjs/common';
import {
  AuditService,
  etagOf,
  KeySchema,
  KeyService,
  WorkspaceService,
  type CreateKeyRequest,
  type ListAuditEntriesRequest,
  type ListKeysRequest,
  type ListWorkspacesRequest,
  type ResumeWorkspaceRequest,
  type RevokeKeyRequest,
  type RevokeLeakedKeyRequest,
  type RotateKeyRequest,
  type SuspendWorkspaceRequest,
  type UpdateKeyRequest,
  type UpdateWorkspaceRequest,
} from '@na/contracts';
import { RpcMethod, serveOnBus } from '@na/messaging';
import { ServiceError } from '@na/service-error';
import { createHash, randomBytes } from 'node:crypto';
import { typeid } from 'typeid-js';
import { makeKey, parseKey } from '../src/auth/key-material.js';
import { GatewayBed, operatorToken, type Answer, type TestKey } from './gateway.bed.js';

const asked: object[] = [];
const createdAt = timestampFromDate(new Date('2026-03-01T12:00:00.000Z'));

function take<R extends object>(request: R): R {
  asked.push(request);
  return request;
}

function keyOf({ id }: { id: string }): MessageInitShape<typeof KeySchema> {
  return { id, name: 'CI', scopes: ['pages:read'], status: 'active', createdAt, rateLimit: { limit: 10, windowSeconds: 60 } };
}

/** What of key-management the other tests' fakes don't answer. */
@Controller()
class FakeKeyManagement {
  @RpcMethod(KeyService.method.listKeys)
  async listKeys(request: ListKeysRequest) {
    return { keys: [keyOf({ id: take(request).after || typeid('key').toString() })], hasMore: false };
  }

  @RpcMethod(KeyService.method.updateKey)
  async updateKey(request: UpdateKeyRequest) {
    return { key: keyOf(take(request)) };
  }

  @RpcMethod(KeyService.method.rotateKey)
  async rotateKey(request: RotateKeyRequest) {
    if (request.ifMatch === '"stale"') throw new ServiceError('precondition_failed', 'Changed.');
    return { key: keyOf(take(request)) };
  }

  @RpcMethod(KeyService.method.revokeKey)
  async revokeKey(request: RevokeKeyRequest) {
    return { key: { ...keyOf(take(request)), status: 'revoked' } };
  }

  @RpcMethod(KeyService.method.revokeLeakedKey)
  async revokeLeakedKey(request: RevokeLeakedKeyRequest) {
    const { keyId, secretDigest } = take(request);
    const leaked = gateway.state.keys.get(keyId);
    const revoked = leaked?.status === 'valid' && Buffer.from(leaked.secretDigest).equals(secretDigest);
    if (revoked) leaked.status = 'revoked';
    return { revoked };
  }

  @RpcMethod(WorkspaceService.method.listWorkspaces)
  async listWorkspaces(request: ListWorkspacesRequest) {
    take(request);
    return { workspaces: [{ id: typeid('ws').toString(), name: 'Acme', createdAt }], hasMore: true };
  }

  @RpcMethod(WorkspaceService.method.updateWorkspace)
  async updateWorkspace(request: UpdateWorkspaceRequest) {
    return { workspace: { id: take(request).id, name: 'Acme', createdAt } };
  }

  @RpcMethod(WorkspaceService.method.suspendWorkspace)
  async suspendWorkspace(request: SuspendWorkspaceRequest) {
    return { workspace: { id: take(request).id, suspendedAt: createdAt, createdAt } };
  }

  @RpcMethod(WorkspaceService.method.resumeWorkspace)
  async resumeWorkspace(request: ResumeWorkspaceRequest) {
    return { workspace: { id: take(request).id, createdAt } };
  }

  @RpcMethod(AuditService.method.listAuditEntries)
  async listAuditEntries(request: ListAuditEntriesRequest) {
    take(request);
    return { entries: [{ id: 'aud_1', createdAt, actor: 'operator', action: 'key.revoked', target: 'key_1', before: { status: 'active' }, after: { status: 'revoked' } }], hasMore: false };
  }
}

@Module({})
class FakeKeyManagementModule {}

let gateway: GatewayBed;
let key: TestKey;
beforeAll(async () => {
  gateway = await GatewayBed.start();
  await serveOnBus({ module: FakeKeyManagementModule, controllers: [FakeKeyManagement] }, gateway.bed.bus, gateway.bed.natsUrl, gateway.bed.host('key-management'));
});
afterAll(() => gateway.stop());
beforeEach(() => {
  asked.length = 0;
  key = gateway.newKey({ scopes: ['keys:read', 'keys:write', 'workspaces:read', 'workspaces:write', 'pages:read'], expiresAt: new Date('2099-01-01T00:00:00Z') });
});

const id = typeid('key').toString();
const path = `/api/v1/keys/${id}`;
const operator = () => ({ authorization: `Bearer ${operatorToken}` });
const patch = (body: object, headers: Record<string, string> = {}) =>
  gateway.send('PATCH', path, { ...key.headers, 'content-type': 'application/merge-patch+json', ...headers }, JSON.stringify(body));
const faults = ({ body }: Answer) => body.errors?.map(({ pointer, code }: { pointer: string; code: string }) => `${pointer} ${code}`);

test('a key is made with its limits', async () => {
  const wanted = { name: 'CI', scopes: ['pages:read'], not_before: '2026-04-01T00:00:00Z', allowed_ips: ['10.0.0.0/8'], rate_limit: { limit: 5, window_seconds: 1 } };
  const { status, body, headers } = await gateway.post('/api/v1/keys', wanted, key.headers);
  const request = gateway.state.asked.at(-1) as CreateKeyRequest;
  expect([status, headers.get('location')]).toEqual([201, `/api/v1/keys/${body.id}`]);
  expect([timestampDate(request.notBefore!).toISOString(), request.allowedIps]).toEqual(['2026-04-01T00:00:00.000Z', ['10.0.0.0/8']]);
  expect(request.rateLimit).toMatchObject({ limit: 5, windowSeconds: 1 });
});

test('the bounds of limits are kept', async () => {
  const limits = { allowed_ips: Array.from({ length: 51 }, () => '10.0.0.1'), rate_limit: { limit: 100_001, window_seconds: 0 }, not_before: 'soon' };
  const answer = await gateway.post('/api/v1/keys', { name: 'CI', scopes: ['pages:read'], ...limits }, key.headers);
  expect([answer.status, faults(answer).sort()]).toEqual([400, ['/allowed_ips too_big', '/not_before invalid_format', '/rate_limit/limit too_big', '/rate_limit/window_seconds too_small']]);
});

test('addresses that are none are told together with whatever else is wrong, of a new key as of a change', async () => {
  const wrong = { name: 'a\nb', colour: 'red', allowed_ips: ['10.0.0.0/40', '192.0.2.0/24', 'host.example'] };
  for (const answer of [await gateway.post('/api/v1/keys', { access: 'read_only', ...wrong }, key.headers), await patch(wrong)]) {
    expect([answer.status, faults(answer).sort()]).toEqual([
      400,
      ['/allowed_ips/0 invalid_format', '/allowed_ips/2 invalid_format', '/colour unknown_field', '/name invalid_value'],
    ]);
  }
  expect(asked).toEqual([]);
});

test('a patch changes what it names, null clears, and what it does not name stays', async () => {
  await patch({ expires_at: null, not_before: null, allowed_ips: null, rate_limit: null });
  const cleared = asked.at(-1) as UpdateKeyRequest;
  expect(cleared.fields.sort()).toEqual(['allowed_ips', 'expires_at', 'not_before', 'rate_limit']);
  expect([cleared.expiresAt, cleared.notBefore, cleared.allowedIps, cleared.rateLimit]).toEqual([undefined, undefined, [], undefined]);
  await patch({ name: 'New', access: 'read_only', disabled: true });
  const changed = asked.at(-1) as UpdateKeyRequest;
  expect([changed.fields.sort(), changed.name, changed.disabled]).toEqual([['disabled', 'name', 'scopes'], 'New', true]);
  expect(changed.scopes).toContain('pages:read');
});

test('a patch is taken as JSON too, and refuses what can not be cleared or is no object', async () => {
  expect((await patch({ name: 'x' }, { 'content-type': 'application/json' })).status).toBe(200);
  expect(faults(await patch({ name: null, scopes: null, rate_limit: { limit: 5 }, secret: 'x' })).sort()).toEqual([
    '/name invalid_type',
    '/rate_limit/window_seconds required',
    '/scopes invalid_type',
    '/secret unknown_field',
  ]);
  expect((await patch([])).status).toBe(400);
  const posted = await gateway.send('POST', '/api/v1/keys', { ...key.headers, 'content-type': 'application/merge-patch+json' }, '{}');
  expect([posted.status, posted.body.code]).toEqual([415, 'unsupported_media_type']);
});

test('a rotation shows the new secret once and sends only its digest on, with a day of overlap unless told', async () => {
  const { status, body } = await gateway.post(`${path}/rotate`, '', { authorization: key.headers.authorization!, 'x-workspace-id': key.workspaceId });
  const request = asked.at(-1) as RotateKeyRequest;
  expect([status, request.id, request.overlapSeconds, request.caller?.actor]).toEqual([200, id, 86_400, key.id]);
  expect(parseKey(body.secret)).toEqual({ keyId: id, secretDigest: Buffer.from(request.secretDigest) });
  expect(Buffer.from(request.secretDigest)).toEqual(createHash('sha256').update(body.secret.slice(-49, -6)).digest());
  await gateway.post(`${path}/rotate`, { overlap_seconds: 0 }, key.headers);
  expect((asked.at(-1) as RotateKeyRequest).overlapSeconds).toBe(0);
});

test('If-Match goes to who can compare and change in one step, and its refusal is 412', async () => {
  await patch({ name: 'x' }, { 'if-match': '"v1"' });
  await gateway.send('DELETE', path, { ...key.headers, 'if-match': '"v2"' });
  expect(asked.map((request) => (request as UpdateKeyRequest).ifMatch)).toEqual(['"v1"', '"v2"']);
  const stale = await gateway.post(`${path}/rotate`, {}, { ...key.headers, 'if-match': '"stale"' });
  expect([stale.status, stale.body.code, stale.body.secret]).toEqual([412, 'precondition_failed', undefined]);
});

test('a revoked key is shown as it now is', async () => {
  const answer = await gateway.send('DELETE', path, key.headers);
  expect([answer.status, answer.body.status, answer.headers.get('etag')]).toEqual([200, 'revoked', etagOf(KeySchema, create(KeySchema, { ...keyOf({ id }), status: 'revoked' }))]);
});

test('keys are listed by their filters', async () => {
  await gateway.get('/api/v1/keys?status=expired&name=ci&expires_before=2027-01-01T00:00:00Z', key.headers);
  const { status, name, expiresBefore } = asked.at(-1) as ListKeysRequest;
  expect([status, name, timestampDate(expiresBefore!).toISOString()]).toEqual(['expired', 'ci', '2027-01-01T00:00:00.000Z']);
  expect((await gateway.get('/api/v1/keys?status=dead', key.headers)).status).toBe(400);
});

test('whoever has a leaked key has it revoked, and learns nothing by it', async () => {
  const leaked = gateway.newKey();
  const wrong = makeKey(leaked.id, randomBytes(32)).credential;
  const unknown = makeKey(typeid('key').toString(), randomBytes(32)).credential;
  const report = async (body: object) => {
    const { status, body: said } = await gateway.post('/api/v1/keys/leaked', body);
    return [status, said];
  };
  const received = [202, { status: 'received' }];
  for (const body of [{ key: wrong }, { key: unknown }, { keys: ['nak_nonsense', 'hunter2'] }]) expect(await report(body)).toEqual(received);
  expect(asked).toHaveLength(2);
  expect(await report({ keys: [unknown, ` ${leaked.credential}\n`] })).toEqual(received);
  const digest = createHash('sha256').update(leaked.credential.slice(-49, -6)).digest();
  expect(asked.at(-1)).toMatchObject({ keyId: leaked.id, secretDigest: new Uint8Array(digest), address: '127.0.0.1', requestId: expect.stringMatching(/^req_/) });
  expect(gateway.state.keys.get(leaked.id)!.status).toBe('revoked');
  expect((await gateway.post('/api/v1/keys/leaked', { keys: [] })).status).toBe(400);
  expect((await gateway.post('/api/v1/keys/leaked', { key: 'x', keys: ['x'] })).status).toBe(400);
});

const nobodys = () => makeKey(typeid('key').toString(), randomBytes(32)).credential;

test('a report is carried out whole, however many of its strings are no live keys, and is always answered the same', async () => {
  const strict = await gateway.startAnother({ failedCredentialsPerMinute: 5 });
  const [dead, ...leaked] = [gateway.newKey({ status: 'revoked' }), gateway.newKey(), gateway.newKey()];
  const keys = [dead.credential, ...Array.from({ length: 60 }, nobodys), 'nonsense', leaked[0].credential, ...Array.from({ length: 30 }, nobodys), leaked[1].credential];
  const { status, body } = await strict.post('/api/v1/keys/leaked', { keys });
  await strict.stopGateway();
  expect([status, body]).toEqual([202, { status: 'received' }]);
  expect(leaked.map(({ id }) => gateway.state.keys.get(id)!.status)).toEqual(['revoked', 'revoked']);
});

test('an address may send 30 reports in a minute; what is beyond does nothing, and keeps no key out', async () => {
  const own = await gateway.startAnother({ failedCredentialsPerMinute: 5 });
  const leaked = gateway.newKey();
  const report = (body: object) => own.post('/api/v1/keys/leaked', body);
  for (let i = 0; i < 30; i++) expect((await report({ key: i % 2 ? 'nonsense' : nobodys() })).status).toBe(202);
  gateway.bed.clock.advance(20_000);
  const { status, body, headers } = await report({ key: leaked.credential });
  expect([status, body.code, headers.get('retry-after'), gateway.state.keys.get(leaked.id)!.status]).toEqual([429, 'rate_limited', '40', 'valid']);
  expect((await own.get('/api/v1/event-types', gateway.newKey().headers)).status).toBe(200);
  gateway.bed.clock.advance(40_000);
  expect((await report({ key: leaked.credential })).status).toBe(202);
  await own.stopGateway();
});

test('an address may have 500 keys looked up in a minute: a report that does not fit is refused before anything is done', async () => {
  const own = await gateway.startAnother();
  const report = async (count: number) => (await own.post('/api/v1/keys/leaked', { keys: Array.from({ length: count }, nobodys) })).status;
  const statuses = [];
  for (const count of [100, 100, 100, 100, 70]) statuses.push(await report(count));
  const before = asked.length;
  statuses.push(await report(31));
  expect(asked).toHaveLength(before);
  statuses.push(await report(30), await report(1));
  await own.stopGateway();
  expect(statuses).toEqual([202, 202, 202, 202, 202, 429, 202, 429]);
});

test('the operator sees all workspaces page by page, a key its own', async () => {
  const first = await gateway.get('/api/v1/workspaces?limit=1', operator());
  expect([first.status, first.body.has_more]).toEqual([200, true]);
  await gateway.get(`/api/v1/workspaces?limit=1&cursor=${first.body.next_cursor}`, operator());
  expect((asked.at(-1) as ListWorkspacesRequest).after).toBe(first.body.data[0].id);
  const own = await gateway.get('/api/v1/workspaces', { authorization: key.headers.authorization! });
  expect([own.body.data.map((workspace: { id: string }) => workspace.id), own.body.has_more]).toEqual([[key.workspaceId], false]);
});

test('a workspace is patched by its own keys, and null puts a field back to its default', async () => {
  const body = JSON.stringify({ time_zone: null, owner_emails: null });
  const answer = await gateway.send('PATCH', `/api/v1/workspaces/${key.workspaceId}`, { ...key.headers, 'content-type': 'application/json', 'if-match': '"v1"' }, body);
  expect([answer.status, asked.at(-1)]).toMatchObject([200, { fields: ['time_zone', 'owner_emails'], timeZone: 'UTC', ownerEmails: [], ifMatch: '"v1"' }]);
});

test('only the operator suspends and resumes', async () => {
  const workspace = `/api/v1/workspaces/${key.workspaceId}`;
  expect((await gateway.post(`${workspace}/suspend`, '', key.headers)).status).toBe(403);
  expect((await gateway.post(`${workspace}/suspend`, '', operator())).body.suspended_at).toBe('2026-03-01T12:00:00.000Z');
  expect((await gateway.post(`${workspace}/resume`, '', operator())).body.suspended_at).toBeNull();
});

test('the audit log is searched by its filters, and shows what was changed', async () => {
  const { status, body } = await gateway.get('/api/v1/audit-log?actor=operator&action=key.revoked&target=key_1&since=2026-01-01T00:00:00Z', key.headers);
  expect([status, body.data[0]]).toMatchObject([200, { actor: 'operator', action: 'key.revoked', before: { status: 'active' }, after: { status: 'revoked' } }]);
  expect(asked.at(-1)).toMatchObject({ actor: 'operator', action: 'key.revoked', target: 'key_1' });
  expect((await gateway.get('/api/v1/audit-log', gateway.newKey({ scopes: ['pages:read'] }).headers)).status).toBe(403);
});
