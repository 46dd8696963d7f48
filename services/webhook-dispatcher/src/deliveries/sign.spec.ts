import { createHmac } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { sign } from './sign.js';

// Published by Standard Webhooks for its libraries.
const vector = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestamp: new Date(1_614_265_330_000),
  body: Buffer.from('{"test": 2432232314}'),
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};

test('the standard signature is that of the published vector', () => {
  const headers = sign(vector.id, vector.body, vector.secret, vector.timestamp);
  expect(headers).toMatchObject({ 'webhook-id': vector.id, 'webhook-timestamp': '1614265330', 'webhook-signature': vector.signature });
});

test('the raw-body signature is keyed with the secret as shown', () => {
  const expected = createHmac('sha256', vector.secret).update(vector.body).digest('hex');
  expect(sign(vector.id, vector.body, vector.secret, vector.timestamp)['x-webhook-signature']).toBe(`sha256=${expected}`);
});

test('a body that is not ASCII is signed as the bytes it is sent as', () => {
  const body = Buffer.from('{"name":"Größe ✓"}');
  const expected = createHmac('sha256', vector.secret).update('{"name":"Größe ✓"}', 'utf8').digest('hex');
  expect(sign(vector.id, body, vector.secret, vector.timestamp)['x-webhook-signature']).toBe(`sha256=${expected}`);
});
