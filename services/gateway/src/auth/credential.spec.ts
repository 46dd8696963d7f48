import { expect, test } from '@jest/globals';
import { readCredential } from './credential.js';
import { makeKey } from './key-material.js';

const { credential, keyId, secretDigest } = makeKey('key_01h455vb4pex5vsknk084sn02q', Buffer.alloc(32, 7));
const key = { kind: 'key', material: { keyId, secretDigest } };
const read = (authorization: string) => readCredential(['Host', 'x', 'Authorization', authorization], {});

test('the scheme may be in any case, and spaces and tabs around the key do not matter', () => {
  for (const header of [`Bearer ${credential}`, `bearer ${credential}`, `BEARER   ${credential}`, ` Bearer\t${credential} `]) {
    expect(read(header)).toEqual(key);
  }
});

test('no credential is no credential: no header, another scheme, a scheme alone', () => {
  expect(readCredential(['Host', 'x'], {})).toEqual({ kind: 'none' });
  for (const header of ['', 'Bearer', 'Bearer ', 'Basic dXNlcjpwYXNz', `Token ${credential}`, credential]) {
    expect(read(header)).toEqual({ kind: 'none' });
  }
});

test('a key with a fault is malformed, whether it is cut, lengthened or of the wrong checksum', () => {
  for (const faulty of [credential.slice(0, -1), `${credential}0`, `${credential} x`, `${credential.slice(0, -1)}-`, 'nak_']) {
    expect(read(`Bearer ${faulty}`)).toEqual({ kind: 'malformed' });
  }
});

test('another token is left to whoever knows it', () => {
  expect(read('Bearer some token')).toEqual({ kind: 'token', token: 'some token' });
});

test('two credentials are not guessed between, even if they are equal', () => {
  const once = ['authorization', `Bearer ${credential}`];
  expect(readCredential([...once, ...once], {})).toMatchObject({ kind: 'ambiguous' });
  expect(readCredential([...once, 'X-API-Key', credential], {})).toMatchObject({ kind: 'ambiguous' });
});

test('a key in a cookie is refused, even beside a good header; other cookies are left alone', () => {
  const once = ['authorization', `Bearer ${credential}`];
  for (const cookie of [`api_key=${credential}`, `a=b; key="${credential}"; c=d`]) expect(readCredential([...once, 'Cookie', cookie], {})).toMatchObject({ kind: 'ambiguous' });
  for (const cookie of ['a=b', 'theme=nak_dark', `key=${credential.slice(0, -1)}-`]) expect(readCredential([...once, 'Cookie', cookie], {})).toEqual(key);
});

test('a key in the query is refused, even beside a good header', () => {
  for (const name of ['api_key', 'access_token']) {
    expect(readCredential(['authorization', `Bearer ${credential}`], { [name]: credential })).toMatchObject({ kind: 'ambiguous' });
  }
});
