import { expect, test } from '@jest/globals';
import { ServiceError } from '@na/service-error';
import { checkGrant, type Grant } from './key-grant.js';

const now = new Date('2026-03-01T12:00:00.000Z');
const at = (ms: number) => new Date(now.getTime() + ms);
const grant = (overrides: Partial<Grant> = {}): Grant => ({ scopes: ['pages:read'], expiresAt: null, ...overrides });

function refusal(wanted: Grant, maker: Grant | 'operator' = 'operator') {
  try {
    checkGrant(wanted, maker, now);
    return null;
  } catch (error) {
    const { code, fields } = error as ServiceError;
    return [code, ...fields.map((field) => `${field.pointer} ${field.code}`)];
  }
}

test('a key may make a key that does as much and lives as long as itself', () => {
  const maker = grant({ scopes: ['pages:read', 'keys:write'], expiresAt: at(1000) });
  expect(refusal({ ...maker }, maker)).toBeNull();
  expect(refusal(grant({ expiresAt: at(999) }), maker)).toBeNull();
});

test('a key can not make a wider key', () => {
  const wanted = grant({ scopes: ['pages:read', 'pages:write'] });
  expect(refusal(wanted, grant())).toEqual(['insufficient_scope', '/scopes/1 scope_not_held']);
});

test('a key can not make a longer-lived key, nor one without an end', () => {
  const maker = grant({ expiresAt: at(1000) });
  expect(refusal(grant({ expiresAt: at(1001) }), maker)).toEqual(['invalid_request', '/expires_at too_late']);
  expect(refusal(grant(), maker)).toEqual(['invalid_request', '/expires_at too_late']);
});

test('the end of a key must lie in the future', () => {
  expect(refusal(grant({ expiresAt: at(0) }))).toEqual(['invalid_request', '/expires_at not_in_future']);
  expect(refusal(grant({ expiresAt: at(1) }))).toBeNull();
});

test('a key has at least one scope, and only scopes that exist', () => {
  expect(refusal(grant({ scopes: [] }))).toEqual(['invalid_request', '/scopes required']);
  expect(refusal(grant({ scopes: ['pages:read', 'pages:*'] }))).toEqual(['invalid_request', '/scopes/1 unknown_scope']);
});

test('the operator may grant every scope', () => {
  expect(refusal(grant({ scopes: ['keys:write', 'workspaces:write', 'track:write'] }))).toBeNull();
});
