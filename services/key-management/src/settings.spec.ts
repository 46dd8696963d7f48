import { expect, test } from '@jest/globals';
import { loadConfig } from '@na/service-host';
import { poolShares, settings } from './settings.js';

const pepper = (fill: number) => Buffer.alloc(32, fill).toString('base64');
const load = (text?: string) => loadConfig({ keyPeppers: settings.keyPeppers }, { KEY_PEPPERS: text });

test('peppers are read with their versions', () => {
  const { keyPeppers } = load(`1:${pepper(1)}, 2:${pepper(2)}`);
  expect(keyPeppers).toEqual([
    { version: 1, key: Buffer.alloc(32, 1) },
    { version: 2, key: Buffer.alloc(32, 2) },
  ]);
});

test('peppers that are missing, short, or of one version twice keep the service from starting', () => {
  expect(() => load(undefined)).toThrow('KEY_PEPPERS is not set');
  expect(() => load('')).toThrow('32 bytes in base64');
  expect(() => load('1:c2hvcnQ=')).toThrow('32 bytes in base64');
  expect(() => load(`1:${pepper(1)},1:${pepper(2)}`)).toThrow('a version twice');
});

test('days of warning are whole numbers, or none at all', () => {
  const { keyExpiryWarningDays } = settings;
  const days = (text?: string) => loadConfig({ keyExpiryWarningDays }, { KEY_EXPIRY_WARNING_DAYS: text }).keyExpiryWarningDays;
  expect([days(undefined), days('30, 7'), days('')]).toEqual([[7, 1], [30, 7], []]);
  for (const text of ['0', '-1', '1.5', 'soon', '1000']) expect(() => days(text)).toThrow('whole numbers');
});

test('the shares of a pool add up to it, and everybody has one', () => {
  for (let size = 1; size <= 200; size++) {
    const shares = Object.values(poolShares(size));
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(1);
    expect(shares.reduce((sum, share) => sum + share)).toBe(Math.max(size, 3));
  }
});
