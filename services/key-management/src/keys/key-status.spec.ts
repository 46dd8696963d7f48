import { expect, test } from '@jest/globals';
import { keyStatus } from './key-status.js';

const now = new Date('2026-03-01T12:00:00.000Z');
const at = (ms: number) => new Date(now.getTime() + ms);
const key = (overrides: Partial<Parameters<typeof keyStatus>[0]> = {}) => ({ revokedAt: null, expiresAt: null, ...overrides });
const active = { suspendedAt: null };

test('a key without an end is valid', () => {
  expect(keyStatus(key(), active, now)).toBe('valid');
});

test('a key is valid until the millisecond before its expiry and expired from then on', () => {
  expect(keyStatus(key({ expiresAt: at(1) }), active, now)).toBe('valid');
  expect(keyStatus(key({ expiresAt: at(0) }), active, now)).toBe('expired');
  expect(keyStatus(key({ expiresAt: at(-1) }), active, now)).toBe('expired');
});

test('a revoked key is revoked whatever else it is', () => {
  expect(keyStatus(key({ revokedAt: at(-5), expiresAt: at(-1) }), { suspendedAt: at(-9) }, now)).toBe('revoked');
});

test('no key of a suspended workspace is valid', () => {
  expect(keyStatus(key({ expiresAt: at(1) }), { suspendedAt: at(-9) }, now)).toBe('suspended');
});
