// A request that a gateway has let in, and whose key is narrowed before its change is made.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Caller, Key } from '@na/contracts';
import { KeyManagementBed } from './key-management.bed.js';

let service: KeyManagementBed;
let maker: Key;
let other: Key;
beforeAll(async () => {
  service = await KeyManagementBed.start();
  const workspaceId = await service.newWorkspace();
  const scopes = ['keys:write', 'workspaces:write', 'pages:read'];
  [{ key: maker }, { key: other }] = [await service.newKey(workspaceId, { scopes }), await service.newKey(workspaceId, { scopes })];
});
afterAll(() => service.stop());

/** Whatever a key may do here, each on behalf of `maker`. */
const changes: [string, (caller: Caller) => Promise<unknown>][] = [
  ['makes a key', (caller) => service.newKey(maker.workspaceId, { caller, scopes: ['pages:read'] })],
  ['changes a key', (caller) => service.update(other, { name: 'Taken' }, caller)],
  ['rotates a key', (caller) => service.rotate(other, {}, caller)],
  ['revokes a key', (caller) => service.keys.revokeKey({ caller, id: other.id })],
  ['changes its workspace', (caller) => service.workspaces.updateWorkspace({ caller, id: maker.workspaceId, fields: ['name'], name: 'Taken' })],
];

const rowsOf = async () => {
  const { rows } = await service.sql.query('SELECT id, version, name FROM keys WHERE workspace_id = $1 UNION ALL SELECT id, version, name FROM workspaces WHERE id = $1 ORDER BY id', [maker.workspaceId]);
  return rows;
};

test.each(changes)('a key that is cut to reading while its request waits no longer %s', async (_what, change) => {
  const cut = () => void service.sql.query(`UPDATE keys SET scopes = '{pages:read}' WHERE id = $1`, [maker.id]);
  const before = await rowsOf();
  const [outcome] = await service.contend([maker, other], [() => change(service.callerOf(maker))], cut);
  expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'insufficient_scope' } });
  expect(await rowsOf()).toEqual(before);
  await service.update(maker, { scopes: maker.scopes });
});

test.each(changes)('a key whose workspace is suspended while its request waits no longer %s', async (_what, change) => {
  const before = await rowsOf();
  const suspend = () => void service.sql.query('UPDATE workspaces SET suspended_at = now() WHERE id = $1', [maker.workspaceId]);
  const [outcome] = await service.contendFor(maker.workspaceId, [() => change(service.callerOf(maker))], suspend);
  expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'workspace_suspended' } });
  expect(await rowsOf()).toEqual(before);
  await service.workspaces.resumeWorkspace({ caller: service.operator(), id: maker.workspaceId });
});

test.each(changes)('a key whose addresses are cut while its request waits no longer %s', async (_what, change) => {
  const cut = () => void service.sql.query(`UPDATE keys SET allowed_ips = '{10.0.0.1}' WHERE id = $1`, [maker.id]);
  const [outcome] = await service.contend([maker, other], [() => change(service.callerOf(maker))], cut);
  expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'address_not_allowed' } });
  await service.update(maker, { allowedIps: [] });
});
