import { expect, test } from '@jest/globals';
import { readCommand, UsageError } from './commands.js';

const now = new Date('2026-03-01T12:00:00.000Z');
const read = (line: string) => readCommand(line.split(' ').filter(Boolean), now);
const key = 'key_01h455vb4pex5vsknk084sn02q';

test.each([
  ['workspaces', { method: 'GET', path: '/workspaces?limit=100' }],
  ['create-workspace --name Acme --owner a@b.c --owner d@e.f', { method: 'POST', path: '/workspaces', body: { name: 'Acme', owner_emails: ['a@b.c', 'd@e.f'] } }],
  ['list --workspace ws_1 --status expired', { method: 'GET', path: '/keys?limit=100&status=expired', workspaceId: 'ws_1' }],
  [
    'create --workspace ws_1 --name CI --scope pages:read --scope goals:read --allowed-ip 192.0.2.0/24',
    { method: 'POST', path: '/keys', workspaceId: 'ws_1', body: { name: 'CI', scopes: ['pages:read', 'goals:read'], allowed_ips: ['192.0.2.0/24'] } },
  ],
  [`rotate ${key} --workspace ws_1 --overlap 24h`, { method: 'POST', path: `/keys/${key}/rotate`, workspaceId: 'ws_1', body: { overlap_seconds: 86_400 } }],
  [`revoke ${key} --workspace ws_1`, { method: 'DELETE', path: `/keys/${key}`, workspaceId: 'ws_1' }],
])('%s is one request', (line, request) => {
  expect(JSON.parse(JSON.stringify(read(line).request))).toEqual(request);
});

test('an expiry is a moment, or a length from now', () => {
  const expiry = (text: string) => (read(`create --workspace ws_1 --name CI --access read_only --expires ${text}`).request.body as { expires_at: string }).expires_at;
  expect(expiry('90d')).toBe('2026-05-30T12:00:00.000Z');
  expect(expiry('2027-01-01T00:00:00Z')).toBe('2027-01-01T00:00:00Z');
});

test.each([
  ['', 'Which command?'],
  ['delete', 'There is no command "delete".'],
  ['toString', 'There is no command "toString".'],
  ['list', 'Give --workspace.'],
  ['list --workspace ws_1 --overlap 1h', 'list does not take --overlap.'],
  ['list --workspace ws_1 key_1', 'list does not take "key_1".'],
  ['revoke --workspace ws_1', 'revoke needs the id of a key, such as key_01j….'],
  [`rotate ${key} --workspace ws_1 --overlap soon`, '--overlap is "soon", which is not a length such as 30m, 24h or 90d.'],
])('"%s" is refused with a reason', (line, reason) => {
  expect(() => read(line)).toThrow(new UsageError(reason));
});

test('an unknown option is refused', () => {
  expect(() => read('list --workspaces ws_1')).toThrow(UsageError);
});
