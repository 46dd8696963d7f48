import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { typeid } from 'typeid-js';
import { makeKey } from '../src/auth/key-material.js';
import { GatewayBed, operatorToken, type Answer } from './gateway.bed.js';

let gateway: GatewayBed;
beforeAll(async () => void (gateway = await GatewayBed.start()));
afterAll(() => gateway.stop());

const bearer = (token: string, workspaceId: string) => ({ authorization: `Bearer ${token}`, 'x-workspace-id': workspaceId });
const outcome = ({ status, body, headers }: Answer) => [status, body.code, headers.get('www-authenticate')];

test('a valid key gets through, whatever the case of the scheme', async () => {
  const { credential, workspaceId } = gateway.newKey();
  const { status, body } = await gateway.get('/api/v1/pages', { authorization: `bEARER  ${credential} `, 'x-workspace-id': workspaceId });
  expect([status, body]).toEqual([200, { data: [], has_more: false, next_cursor: null }]);
});

test('without a key the answer is 401 with a challenge that names no error', async () => {
  const challenge = [401, 'unauthenticated', 'Bearer realm="api"'];
  const workspace = { 'x-workspace-id': typeid('ws').toString() };
  expect(outcome(await gateway.get('/api/v1/pages', workspace))).toEqual(challenge);
  expect(outcome(await gateway.get('/api/v1/pages', { ...workspace, authorization: 'Bearer' }))).toEqual(challenge);
  expect(outcome(await gateway.get('/api/v1/pages', { ...workspace, authorization: 'Basic dXNlcjpwYXNz' }))).toEqual(challenge);
});

test('unknown, wrong, revoked, expired and malformed keys look all alike', async () => {
  const good = gateway.newKey();
  const wrongSecret = makeKey(good.id, randomBytes(32)).credential;
  const unknown = makeKey(typeid('key').toString(), randomBytes(32)).credential;
  const revoked = gateway.newKey({ status: 'revoked' }).credential;
  const expired = gateway.newKey({ status: 'expired' }).credential;
  const answers = [];
  for (const token of [wrongSecret, unknown, revoked, expired, good.credential.slice(0, -1), 'not-the-operator']) {
    answers.push(await gateway.get('/api/v1/pages', bearer(token, good.workspaceId)));
  }
  for (const { status, headers, body } of answers) {
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="api", error="invalid_token"']);
    expect({ ...body, request_id: '' }).toEqual({ ...answers[0]!.body, request_id: '' });
  }
});

test('a key is refused from its expiry on, even on a verdict that was given before', async () => {
  const key = gateway.newKey({ expiresAt: new Date(gateway.bed.clock.now().getTime() + 1_000) });
  gateway.bed.clock.advance(999);
  expect((await gateway.get('/api/v1/pages', key.headers)).status).toBe(200);
  gateway.bed.clock.advance(1);
  expect((await gateway.get('/api/v1/pages', key.headers)).status).toBe(401);
});

test('a key with a wrong checksum is refused without asking anyone', async () => {
  const { credential, workspaceId } = gateway.newKey();
  const before = gateway.state.verifications;
  const changed = credential.slice(0, -1) + (credential.endsWith('0') ? '1' : '0');
  expect((await gateway.get('/api/v1/pages', bearer(changed, workspaceId))).status).toBe(401);
  expect(gateway.state.verifications).toBe(before);
});

test('two credentials are 400: two headers, a header and X-API-Key, anything in the query', async () => {
  const { credential, workspaceId } = gateway.newKey();
  const authorization = ['Authorization', `Bearer ${credential}`];
  const workspace = ['X-Workspace-Id', workspaceId];
  for (const [path, headers] of [
    ['/api/v1/pages', [...workspace, ...authorization, ...authorization]],
    ['/api/v1/pages', [...workspace, ...authorization, 'x-api-key', credential]],
    [`/api/v1/pages?api_key=${credential}`, [...workspace, ...authorization]],
    [`/api/v1/pages?access_token=${credential}`, workspace],
  ] as [string, string[]][]) {
    const answer = await gateway.sendRaw(path, headers);
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
    expect(JSON.stringify(answer.body)).not.toContain(credential);
  }
});

test('a request without a workspace, or with what is no workspace id, is 400', async () => {
  const { credential, workspaceId } = gateway.newKey();
  const authorization = `Bearer ${credential}`;
  for (const header of [undefined, '', 'ws_1', workspaceId.toUpperCase(), `${workspaceId}, ${workspaceId}`]) {
    const answer = await gateway.get('/api/v1/pages', header === undefined ? { authorization } : { authorization, 'x-workspace-id': header });
    expect([answer.status, answer.body.code]).toEqual([400, 'workspace_required']);
  }
});

test('a key of another workspace is 403', async () => {
  const { credential } = gateway.newKey();
  const answer = await gateway.get('/api/v1/pages', bearer(credential, typeid('ws').toString()));
  expect([answer.status, answer.body.code]).toEqual([403, 'workspace_mismatch']);
});

test('a key of a suspended workspace is 403', async () => {
  const key = gateway.newKey({ status: 'suspended' });
  const answer = await gateway.get('/api/v1/pages', key.headers);
  expect([answer.status, answer.body.code]).toEqual([403, 'workspace_suspended']);
});

test('a key without the scope is 403, and told which scope it lacks', async () => {
  const key = gateway.newKey({ scopes: ['pages:read'] });
  const answer = await gateway.post('/api/v1/pages', { url: 'https://example.com' }, key.headers);
  expect(outcome(answer)).toEqual([403, 'insufficient_scope', 'Bearer realm="api", error="insufficient_scope", scope="pages:write"']);
  expect(gateway.state.pages.filter(({ workspaceId }) => workspaceId === key.workspaceId)).toEqual([]);
});

test('a key learns its workspace without naming it', async () => {
  const { credential, workspaceId } = gateway.newKey({ scopes: ['goals:read'] });
  const { status, body } = await gateway.get('/api/v1/workspaces', { authorization: `Bearer ${credential}` });
  expect([status, body.data.map(({ id }: { id: string }) => id)]).toEqual([200, [workspaceId]]);
});

test('who a stranger is gets asked before what they send is read', async () => {
  const answer = await gateway.post('/api/v1/pages', '{broken');
  expect(answer.status).toBe(401);
});

test('the operator makes workspaces and keys, and sees no data', async () => {
  const authorization = `Bearer ${operatorToken}`;
  const workspace = await gateway.post('/api/v1/workspaces', { name: 'Acme' }, { authorization });
  expect([workspace.status, workspace.body]).toMatchObject([201, { name: 'Acme', time_zone: 'UTC', owner_emails: [] }]);
  const headers = { authorization, 'x-workspace-id': workspace.body.id };
  const key = await gateway.post('/api/v1/keys', { name: 'First', access: 'read_only' }, headers);
  expect([key.status, key.body]).toMatchObject([201, { workspace_id: workspace.body.id }]);
  expect((await gateway.get('/api/v1/pages', headers)).status).toBe(403);
  const unnamed = await gateway.post('/api/v1/keys', { name: 'First', access: 'read_only' }, { authorization });
  expect([unnamed.status, unnamed.body.code]).toEqual([400, 'workspace_required']);
});

test('a key makes no workspaces, whatever its scopes', async () => {
  const key = gateway.newKey({ scopes: ['workspaces:write'] });
  expect((await gateway.post('/api/v1/workspaces', { name: 'Mine' }, key.headers)).status).toBe(403);
});
