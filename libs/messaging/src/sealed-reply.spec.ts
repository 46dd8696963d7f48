import { expect, test } from '@jest/globals';
import { createReplyKey, replyKeyFrom, sealReply } from './sealed-reply.js';

const secret = 'whsec_bm90IGEgcmVhbCBzZWNyZXQgYXQgYWxs';

test('what is sealed to a reply key opens with it, and shows nothing of the secret', () => {
  const key = createReplyKey();
  const sealed = sealReply(secret, key.publicKey);
  expect(key.open(sealed)).toBe(secret);
  expect(Buffer.from(sealed).toString('latin1')).not.toContain('whsec');
});

test('a reply key made from the same private key opens what was sealed to the other', () => {
  const [one, same] = [replyKeyFrom(Buffer.alloc(32, 5)), replyKeyFrom(Buffer.alloc(32, 5))];
  expect(same.publicKey).toEqual(one.publicKey);
  expect(same.open(sealReply(secret, one.publicKey))).toBe(secret);
});

test('what was sealed to another key does not open', () => {
  const sealed = sealReply(secret, createReplyKey().publicKey);
  expect(() => createReplyKey().open(sealed)).toThrow();
  expect(() => replyKeyFrom(Buffer.alloc(32, 5)).open(sealed)).toThrow();
});

test('no byte of what is sealed can be changed, and none left out', () => {
  const key = replyKeyFrom(Buffer.alloc(32, 5));
  const sealed = sealReply(secret, key.publicKey);
  for (let at = 0; at < sealed.length; at++) {
    const changed = Uint8Array.from(sealed);
    changed[at]! ^= 1;
    expect(() => key.open(changed)).toThrow();
  }
  expect(() => key.open(sealed.subarray(0, -1))).toThrow();
  expect(() => key.open(new Uint8Array())).toThrow();
});

test('a key that is not 32 bytes is refused', () => {
  expect(() => sealReply(secret, Buffer.alloc(31))).toThrow();
  expect(() => replyKeyFrom(Buffer.alloc(31))).toThrow();
});
