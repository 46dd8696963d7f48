import { expect, test } from '@jest/globals';
import { Secrets } from './spellings.js';

const secret = 'q7+Zr/0xVd2LmPaKc9bTnW5e';
const secrets = new Secrets();
secrets.add('the secret', secret);

const found = (text: string) => secrets.foundIn({ name: 'here', text }).length > 0;

test('a secret is found in the middle of a text, in every spelling', () => {
  const escaped = JSON.stringify({ token: secret }).replaceAll('/', '\\/');
  for (const text of [secret, secret.toUpperCase(), encodeURIComponent(secret), escaped, Buffer.from(secret).toString('hex')]) {
    expect(found(`before ${text} after`)).toBe(true);
  }
});

test('a secret is found in base64 of something longer, wherever it begins there', () => {
  for (const around of ['', 'x', 'xy', 'xyz']) {
    for (const alphabet of ['base64', 'base64url'] as const) expect(found(Buffer.from(around + secret + around).toString(alphabet))).toBe(true);
  }
});

test('what is no secret is not taken for one', () => {
  expect(found(`${secret.slice(0, -1)} ${Buffer.from(secret.slice(1)).toString('base64')}`)).toBe(false);
});
