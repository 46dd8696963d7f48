import { expect, test } from '@jest/globals';
import { loadConfig } from '@na/service-host';
import { settings } from './settings.js';

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
