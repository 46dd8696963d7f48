import { expect, test } from '@jest/globals';
import { redact } from './redact.js';

const secret = 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y';

test.each([
  [`Bearer nak_01h45ytscbebyvny4gc8cr8ma2_${secret}`, secret],
  ['the secret is whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw.', 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
  ['cannot connect to postgres://na_gateway:hunter22@db:5432/na', 'hunter22'],
  ['nats://local:p4ssw0rd@127.0.0.1:4222', 'p4ssw0rd'],
  ['nats://t0ken@127.0.0.1:4222', 't0ken'],
  [`key=xnak_01h45ytscbebyvny4gc8cr8ma2_${secret}`, secret],
  ['/webhooks/whsec_MfKQ9r8%2BGKYqrTwj%2FPD8ILPZIo2LaLaSw', 'PD8ILPZIo2LaLaSw'],
  ['old_whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
])('what is secret in %j is cut out', (text, hidden) => {
  expect(redact(text)).not.toContain(hidden);
  expect(redact(text)).toContain('[redacted]');
});

test('what only looks like a password is left alone, and a line stays JSON', () => {
  const line = '{"url":"https://h:8443/x","mail":"ops@e.com","at":"nats://u:pw@h:1"}';
  expect(JSON.parse(redact(line))).toEqual({ url: 'https://h:8443/x', mail: 'ops@e.com', at: 'nats://u:[redacted]@h:1' });
  for (const text of ['https://h:80?mail=a@b.de', 'https://h/x:1@2', 'https://h#a:b@c']) expect(redact(text)).toBe(text);
});
