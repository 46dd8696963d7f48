import { expect, test } from '@jest/globals';
import { checkStanding } from './standing.js';

const now = new Date('2026-03-01T12:00:00Z');
const key = { revokedAt: null, expiresAt: null, disabledAt: null, notBefore: null, scopes: ['keys:write'], allowedIps: ['10.0.0.0/8'] };
const active = { suspendedAt: null };
const caller = { address: '10.1.2.3' };

test('a key that is good, in its place and has the scope may go on', () => {
  expect(() => checkStanding(key, active, caller, 'keys:write', now)).not.toThrow();
  expect(() => checkStanding({ ...key, allowedIps: [] }, active, { address: '::1' }, 'keys:write', now)).not.toThrow();
});

test.each([
  ['is gone', undefined, active, 'unauthenticated'],
  ['is revoked', { ...key, revokedAt: now }, active, 'unauthenticated'],
  ['has expired', { ...key, expiresAt: now }, active, 'unauthenticated'],
  ['is disabled', { ...key, disabledAt: now }, active, 'unauthenticated'],
  ['is of a suspended workspace', key, { suspendedAt: now }, 'workspace_suspended'],
  ['is used from elsewhere', { ...key, allowedIps: ['10.1.2.4'] }, active, 'address_not_allowed'],
  ['lacks the scope', { ...key, scopes: ['keys:read', 'pages:write'] }, active, 'insufficient_scope'],
])('a key that %s may not', (_what, changed, workspace, code) => {
  expect(() => checkStanding(changed, workspace, caller, 'keys:write', now)).toThrow(expect.objectContaining({ code }));
});
