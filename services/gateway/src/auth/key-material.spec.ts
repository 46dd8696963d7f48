import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { typeid } from 'typeid-js';
import { makeKey, parseKey } from './key-material.js';

const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
const sample = () => makeKey('key_01h455vb4pex5vsknk084sn02q', Buffer.alloc(32, 7));

test('what was made is read back, whatever the random bytes', () => {
  fc.assert(
    fc.property(bytes, (random) => {
      const { credential, ...made } = makeKey(typeid('key').toString(), random);
      expect(credential).toHaveLength(80);
      expect(parseKey(credential)).toEqual({ keyId: made.keyId, secretDigest: made.secretDigest });
    }),
  );
});

test('a key has the id that is public, and ends with the four characters that are shown', () => {
  const { credential, lastFour } = sample();
  expect(credential).toMatch(/^nak_01h455vb4pex5vsknk084sn02q_[0-9A-Za-z]{49}$/);
  expect(credential.endsWith(lastFour)).toBe(true);
});

test('different random bytes make different secrets', () => {
  const other = makeKey('key_01h455vb4pex5vsknk084sn02q', Buffer.alloc(32, 8));
  expect(other.secretDigest).not.toEqual(sample().secretDigest);
});

test('a key in which any one character is another is not a key', () => {
  const { credential } = sample();
  for (let i = 0; i < credential.length; i++) {
    const changed = credential[i] === 'x' ? 'y' : 'x';
    expect(parseKey(credential.slice(0, i) + changed + credential.slice(i + 1))).toBeNull();
  }
});

test('a key that is cut, padded or quoted is not a key', () => {
  const { credential } = sample();
  const broken = [credential.slice(0, -1), credential.slice(1), `${credential}0`, `${credential}\n`, ` ${credential}`, `"${credential}"`, ''];
  expect(broken.map(parseKey)).toEqual(broken.map(() => null));
});
