import { expect, test } from '@jest/globals';
import { checkRotatable, previousSecretEnd, rotated } from './rotation.js';

const now = new Date('2026-03-01T12:00:00.000Z');
const at = (ms: number) => new Date(now.getTime() + ms);
const mac = (text: string) => Buffer.from(text);
const secret = { secretMac: mac('new'), pepperVersion: 2, lastFour: 'nnnn' };
const alive = { revokedAt: null, expiresAt: null, disabledAt: null, notBefore: null };

test('the secret so far lives on for the overlap', () => {
  expect(rotated({ secretMac: mac('old'), pepperVersion: 1 }, secret, 60, now)).toEqual({
    secretMac: mac('new'),
    pepperVersion: 2,
    lastFour: 'nnnn',
    rotatedAt: now,
    previousSecretMac: mac('old'),
    previousPepperVersion: 1,
    previousEndsAt: at(60_000),
  });
});

test('without an overlap it is over at once by every clock, and only known', () => {
  const over = { previousSecretMac: mac('old'), previousPepperVersion: 1, previousEndsAt: new Date(0) };
  expect(rotated({ secretMac: mac('old'), pepperVersion: 1 }, secret, 0, now)).toMatchObject(over);
});

test('a previous secret ends with its overlap or with the key, whichever comes first', () => {
  expect(previousSecretEnd({ previousEndsAt: at(5), expiresAt: null })).toEqual(at(5));
  expect(previousSecretEnd({ previousEndsAt: at(5), expiresAt: at(6) })).toEqual(at(5));
  expect(previousSecretEnd({ previousEndsAt: at(5), expiresAt: at(4) })).toEqual(at(4));
  expect(previousSecretEnd({ previousEndsAt: null, expiresAt: at(4) })).toBeNull();
});

test.each([
  ['revoked', { revokedAt: at(-1) }],
  ['expired', { expiresAt: at(0) }],
  ['disabled', { disabledAt: at(-1) }],
])('a key that is %s gets no new secret', (status, state) => {
  expect(() => checkRotatable({ ...alive, ...state }, now)).toThrow(status);
});

test('a key that is good, or will be, gets one', () => {
  expect(() => checkRotatable(alive, now)).not.toThrow();
  expect(() => checkRotatable({ ...alive, notBefore: at(1) }, now)).not.toThrow();
});
