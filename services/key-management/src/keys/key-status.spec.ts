import { expect, test } from '@jest/globals';
import { keyStatus, type Life } from './key-status.js';

const now = new Date('2026-03-01T12:00:00.000Z');
const at = (ms: number) => new Date(now.getTime() + ms);
const key = (overrides: Partial<Life> = {}): Life => ({ revokedAt: null, expiresAt: null, disabledAt: null, notBefore: null, ...overrides });
const active = { suspendedAt: null };

test('a key without limits in time is valid', () => {
  expect(keyStatus(key(), active, now)).toBe('valid');
});

test('a key is valid until the millisecond before its expiry and expired from then on', () => {
  expect(keyStatus(key({ expiresAt: at(1) }), active, now)).toBe('valid');
  expect(keyStatus(key({ expiresAt: at(0) }), active, now)).toBe('expired');
  expect(keyStatus(key({ expiresAt: at(-1) }), active, now)).toBe('expired');
});

test('a key is not yet valid until the millisecond before its start and valid from then on', () => {
  expect(keyStatus(key({ notBefore: at(1) }), active, now)).toBe('not_yet_valid');
  expect(keyStatus(key({ notBefore: at(0) }), active, now)).toBe('valid');
});

test('of several reasons the one that lasts is named', () => {
  const whatever = { revokedAt: at(-5), expiresAt: at(-1), disabledAt: at(-3), notBefore: at(9) };
  const suspended = { suspendedAt: at(-9) };
  expect(keyStatus(whatever, suspended, now)).toBe('revoked');
  expect(keyStatus({ ...whatever, revokedAt: null }, suspended, now)).toBe('expired');
  expect(keyStatus({ ...whatever, revokedAt: null, expiresAt: null }, suspended, now)).toBe('disabled');
  expect(keyStatus(key({ notBefore: at(9) }), suspended, now)).toBe('not_yet_valid');
  expect(keyStatus(key({ expiresAt: at(1) }), suspended, now)).toBe('suspended');
});
