import { expect, test } from '@jest/globals';
import { readCommand, UsageError } from './commands.js';

const now = new Date('2026-03-01T12:00:00.000Z');
const read = (line: string) => readCommand(line.split(' ').filter(Boolean), now);
const key = 'key_01h455vb4pex5vsknk084sn02q';
const ws = 'ws_01h455vb4pex5vsknk084sn02q';

test.each([
  ['workspaces', { method: 'GET', path: '/workspaces?limit=100' }],
  ['create-workspace --name Acme --owner a@b.c --owner d@e.f', { method: 'POST', path: '/workspaces', body: { name: 'Acme', owner_emails: ['a@b.c', 'd@e.f'] } }],
  [`list --workspace ${ws} --status expired`, { method: 'GET', path: '/keys?limit=100&status=expired', workspaceId: ws }],
  [
    `create --workspace ${ws} --name CI --scope pages:read --scope goals:read --allowed-ip 192.0.2.0/24`,
    { method: 'POST', path: '/keys', workspaceId: ws, body: { name: 'CI', scopes: ['pages:read', 'goals:read'], allowed_ips: ['192.0.2.0/24'] } },
  ],
  [`rotate ${key} --workspace ${ws} --overlap 24h`, { method: 'POST', path: `/keys/${key}/rotate`, workspaceId: ws, body: { overlap_seconds: 86_400 } }],
  [`rotate ${key} --workspace ${ws} --overlap 0`, { method: 'POST', path: `/keys/${key}/rotate`, workspaceId: ws, body: { overlap_seconds: 0 } }],
  [`revoke ${key} --workspace ${ws}`, { method: 'DELETE', path: `/keys/${key}`, workspaceId: ws }],
])('%s is one request', (line, request) => {
  expect(JSON.parse(JSON.stringify(read(line).request))).toEqual(request);
});

test('an expiry is a moment, or a length from now', () => {
  const expiry = (text: string) => (read(`create --workspace ${ws} --name CI --access read_only --expires ${text}`).request.body as { expires_at: string }).expires_at;
  expect(expiry('90d')).toBe('2026-05-30T12:00:00.000Z');
  expect(expiry('2027-01-01T00:00:00Z')).toBe('2027-01-01T00:00:00Z');
});

test.each([
  ['', 'Which command?'],
  ['delete', 'There is no command "delete".'],
  ['toString', 'There is no command "toString".'],
  ['list', 'Give --workspace.'],
  [`list --workspace ${ws} --overlap 1h`, 'list does not take --overlap.'],
  [`list --workspace ${ws} key_1`, 'list does not take "key_1".'],
  [`revoke --workspace ${ws}`, 'revoke needs the id of a key, such as key_01j….'],
  [`rotate ${key} --workspace ${ws} --overlap soon`, '--overlap is "soon", which is neither 0 nor a length such as 30m, 24h or 7d.'],
  ['list --workspace nope', '--workspace is "nope", which is not the id of a workspace such as ws_01j….'],
  [`create --workspace ${ws} --name CI --access read_only --expires 90x`, '--expires is "90x", which is neither a length such as 12h or 90d nor a moment such as 2027-01-01T00:00:00Z.'],
  [`list --workspace ${ws} --workspace ${ws}`, 'Give --workspace once.'],
])('"%s" is refused with a reason', (line, reason) => {
  expect(() => read(line)).toThrow(new UsageError(reason));
});

test('an unknown option is refused', () => {
  expect(() => read(`list --workspaces ${ws}`)).toThrow(UsageError);
});
