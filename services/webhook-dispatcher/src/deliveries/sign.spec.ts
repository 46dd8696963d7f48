import { createHmac } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { verifyWebhook } from '@notion-analytics/webhook-signature';
import { sign, signedHeaders } from './sign.js';

// Published by Standard Webhooks for its libraries.
const vector = {
  secrets: { current: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', previous: [] },
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestamp: new Date(1_614_265_330_000),
  body: Buffer.from('{"test": 2432232314}'),
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};

const hexHmac = (secret: string, body: string | Buffer) => createHmac('sha256', secret).update(body).digest('hex');

test('the standard signature is that of the published vector', () => {
  const headers = { ...signedHeaders(vector.id, vector.timestamp), ...sign(vector.id, vector.body, vector.secrets, vector.timestamp) };
  expect(headers).toMatchObject({ 'webhook-id': vector.id, 'webhook-timestamp': '1614265330', 'webhook-signature': vector.signature });
});

test('the raw-body signature is keyed with the secret as shown', () => {
  const headers = sign(vector.id, vector.body, vector.secrets, vector.timestamp);
  expect(headers['x-webhook-signature']).toBe(`sha256=${hexHmac(vector.secrets.current, vector.body)}`);
});

test('a body that is not ASCII is signed as the bytes it is sent as', () => {
  const headers = sign(vector.id, Buffer.from('{"name":"Größe ✓"}'), vector.secrets, vector.timestamp);
  expect(headers['x-webhook-signature']).toBe(`sha256=${hexHmac(vector.secrets.current, '{"name":"Größe ✓"}')}`);
});

test('without a rotation there is one signature of each kind', () => {
  const headers = sign(vector.id, vector.body, vector.secrets, vector.timestamp);
  expect(headers).not.toHaveProperty('x-webhook-signature-previous');
  expect(headers['webhook-signature'].split(' ')).toHaveLength(1);
});

test('during rotations every living secret verifies, by either scheme', () => {
  const [current, previous, oldest] = [1, 2, 3].map((fill) => `whsec_${Buffer.alloc(24, fill).toString('base64')}`) as [string, string, string];
  const headers = sign(vector.id, vector.body, { current, previous: [previous, oldest] }, vector.timestamp);
  expect(headers['x-webhook-signature']).toBe(`sha256=${hexHmac(current, vector.body)}`);
  expect(headers['x-webhook-signature-previous']).toBe([previous, oldest].map((secret) => `sha256=${hexHmac(secret, vector.body)}`).join(' '));
  const request = { body: vector.body, headers: { ...signedHeaders(vector.id, vector.timestamp), ...headers }, now: vector.timestamp };
  for (const scheme of ['standard', 'raw-body'] as const) {
    const verifies = (secrets: string) => verifyWebhook({ ...request, secrets, scheme }).ok;
    expect([current, previous, oldest, vector.secrets.current].map(verifies)).toEqual([true, true, true, false]);
  }
});
