import { expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { KeyDigester } from './key-digest.js';

const pepper = (version: number, fill = version) => ({ version, key: Buffer.alloc(32, fill) });
const digest = (secret: string) => createHash('sha256').update(secret).digest();

test('a secret matches what was stored of it, and no other does', () => {
  const digester = new KeyDigester([pepper(1)]);
  const stored = digester.store(digest('right'));
  expect(digester.matches(stored, digest('right'))).toBe(true);
  expect(digester.matches(stored, digest('wrong'))).toBe(false);
});

test('what is stored says nothing without the pepper', () => {
  const stored = new KeyDigester([pepper(1)]).store(digest('right'));
  expect(stored.secretMac).not.toEqual(digest('right'));
  expect(new KeyDigester([pepper(1, 9)]).matches(stored, digest('right'))).toBe(false);
});

test('the highest pepper makes new digests, and older ones still verify', () => {
  const old = new KeyDigester([pepper(1)]).store(digest('right'));
  const digester = new KeyDigester([pepper(2), pepper(1)]);
  expect(digester.store(digest('right')).pepperVersion).toBe(2);
  expect(digester.matches(old, digest('right'))).toBe(true);
});

test('an unknown key never matches, whatever is presented', () => {
  const digester = new KeyDigester([pepper(1)]);
  expect(digester.matches(undefined, digest('any'))).toBe(false);
  expect(digester.matches(undefined, Buffer.alloc(32))).toBe(false);
});

test('a missing pepper is a fault of the installation, not a wrong secret', () => {
  const stored = new KeyDigester([pepper(2)]).store(digest('right'));
  expect(() => new KeyDigester([pepper(1)]).matches(stored, digest('right'))).toThrow('KEY_PEPPERS lacks version 2');
});
