import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { assertWebhook, signWebhook, verifyWebhook, WebhookSignatureError, type VerifyOptions, type WebhookEvent } from './index.js';

// Published by Standard Webhooks for its libraries.
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const now = new Date(1_614_265_330_000);
const body = '{"test": 2432232314}';
const headers = {
  'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  'webhook-timestamp': '1614265330',
  'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};
const otherSecret = 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
const otherSignature = 'v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=';
const bothSchemes = signWebhook({ id: 'evt_1', timestamp: now, body, secrets: [secret, otherSecret] });
const rawBodyHeader = { 'X-Webhook-Signature': bothSchemes['x-webhook-signature'] };

const verify = (changes: Partial<VerifyOptions> = {}) => verifyWebhook({ body, headers, secrets: secret, now, ...changes });
const later = (seconds: number) => new Date(now.getTime() + seconds * 1_000);
const without = (name: keyof typeof headers) => ({ ...headers, [name]: undefined });

test('the vector that Standard Webhooks publishes is genuine', () => {
  expect(verify()).toEqual({ ok: true, scheme: 'standard', event: { test: 2_432_232_314 }, matchedSecret: 0 });
});

test.each<[string, Partial<VerifyOptions>]>([
  ['text', { body }],
  ['a Buffer', { body: Buffer.from(body) }],
  ['a Uint8Array that is a window of a larger one', { body: new TextEncoder().encode(`..${body}..`).subarray(2, -2) }],
  ['an ArrayBuffer', { body: new TextEncoder().encode(body).buffer }],
  ['headers in upper case', { headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value])) }],
  ['a Headers object', { headers: new Headers(headers) }],
  ['a Map', { headers: new Map(Object.entries(headers).map(([name, value]) => [`W${name.slice(1)}`, value])) }],
  ['repeated headers in arrays', { headers: { ...headers, 'webhook-signature': [otherSignature, headers['webhook-signature']] } }],
  ['several signatures', { headers: { ...headers, 'webhook-signature': `${otherSignature} ${headers['webhook-signature']}` } }],
  ['a signature of an unknown version before it', { headers: { ...headers, 'webhook-signature': `v1a,c2lnbmF0dXJl v9 ${headers['webhook-signature']}` } }],
  ['a timestamp at the older border', { now: later(300) }],
  ['a timestamp at the newer border', { now: later(-300) }],
  ['a wider tolerance', { now: later(86_400), toleranceSeconds: 86_400 }],
])('%s: genuine', (_name, changes) => {
  expect(verify(changes)).toMatchObject({ ok: true, scheme: 'standard' });
});

test.each<[string, Partial<VerifyOptions>, string]>([
  ['another secret', { secrets: otherSecret }, 'no_match'],
  ['another body', { body: '{"test":2432232314}' }, 'no_match'],
  ['another id', { headers: { ...headers, 'webhook-id': 'msg_2' } }, 'no_match'],
  ['another timestamp', { headers: { ...headers, 'webhook-timestamp': '1614265331' } }, 'no_match'],
  ['another spelling of the same bytes', { headers: { ...headers, 'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OF=' } }, 'no_match'],
  ['a timestamp just too old', { now: later(301) }, 'timestamp_too_old'],
  ['a timestamp just too new', { now: later(-301) }, 'timestamp_too_new'],
  ['a tolerance that is no number', { toleranceSeconds: Number.NaN }, 'timestamp_too_old'],
  ['no id', { headers: without('webhook-id') }, 'missing_id'],
  ['no timestamp', { headers: without('webhook-timestamp') }, 'missing_timestamp'],
  ['no signature', { headers: without('webhook-signature') }, 'missing_signature'],
  ['no headers at all', { headers: {} }, 'missing_signature'],
  ['a timestamp in milliseconds', { headers: { ...headers, 'webhook-timestamp': '1614265330000' } }, 'malformed_timestamp'],
  ['a timestamp in words', { headers: { ...headers, 'webhook-timestamp': 'now' } }, 'malformed_timestamp'],
  ['a signature without version', { headers: { ...headers, 'webhook-signature': headers['webhook-signature'].slice(3) } }, 'malformed_signature'],
  ['only signatures of unknown versions', { headers: { ...headers, 'webhook-signature': 'v1a,c2lnbmF0dXJl' } }, 'malformed_signature'],
  ['a parsed body', { body: JSON.parse(body) }, 'body_not_raw'],
  ['no body', { body: undefined }, 'body_not_raw'],
  ['no secret', { secrets: undefined }, 'malformed_secret'],
  ['an empty secret', { secrets: '' }, 'malformed_secret'],
  ['a secret of the prefix only', { secrets: 'whsec_' }, 'malformed_secret'],
  ['an empty list of secrets', { secrets: [] }, 'malformed_secret'],
  ['a secret without prefix', { secrets: secret.slice(6) }, 'malformed_secret'],
  ['a secret with a line break', { secrets: `${secret}\n` }, 'malformed_secret'],
  ['a good secret beside a faulty one', { secrets: [secret, 'whsec_!'] }, 'malformed_secret'],
  ['X-Webhook-Signature alone, with nobody asking for it', { headers: rawBodyHeader }, 'missing_signature'],
  ['X-Webhook-Signature alone, with an unknown scheme asked for', { headers: rawBodyHeader, scheme: 'none' as never }, 'missing_signature'],
])('%s: refused', (_name, changes, reason) => {
  expect(verify(changes)).toMatchObject({ ok: false, reason });
});

test('the secret that matched is told by its place', () => {
  expect(verify({ secrets: [otherSecret, secret] })).toMatchObject({ ok: true, matchedSecret: 1 });
  expect(verify({ secrets: [secret, otherSecret], headers: bothSchemes })).toMatchObject({ ok: true, matchedSecret: 0 });
  expect(verify({ secrets: otherSecret, headers: bothSchemes })).toMatchObject({ ok: true, matchedSecret: 0 });
});

const rawBody = (changes: Partial<VerifyOptions> = {}) => verify({ scheme: 'raw-body', headers: rawBodyHeader, ...changes });

test.each<[string, Partial<VerifyOptions>]>([
  ['the current secret', {}],
  ['the secret before, in its own header', { headers: { 'x-webhook-signature-previous': bothSchemes['x-webhook-signature'] } }],
  ['one of several before, in the same header', { headers: { 'x-webhook-signature-previous': `sha256=${'0'.repeat(64)} ${bothSchemes['x-webhook-signature']}` } }],
  ['a secret that only the second header is made with', { secrets: otherSecret, headers: bothSchemes }],
  ['a request of any age', { now: later(1e9) }],
])('X-Webhook-Signature, when asked for, with %s: genuine', (_name, changes) => {
  expect(rawBody(changes)).toMatchObject({ ok: true, scheme: 'raw-body' });
});

test.each<[string, Partial<VerifyOptions>, string]>([
  ['another body', { body: `${body} ` }, 'no_match'],
  ['another secret', { secrets: otherSecret }, 'no_match'],
  ['no such header', { headers }, 'missing_signature'],
  ['no sha256=', { headers: { 'x-webhook-signature': bothSchemes['x-webhook-signature']!.slice(7) } }, 'malformed_signature'],
  ['a part of it', { headers: { 'x-webhook-signature': 'sha256=77b456bf' } }, 'malformed_signature'],
])('X-Webhook-Signature, when asked for, with %s: refused', (_name, changes, reason) => {
  expect(rawBody(changes)).toMatchObject({ ok: false, reason });
});

test('X-Webhook-Signature is the hexadecimal HMAC of the body, keyed with the secret as shown', () => {
  // The value is that of `openssl dgst -sha256 -hmac`.
  const signed = signWebhook({ id: 'evt_1', timestamp: now, body: '{"name":"Größe ✓"}', secrets: secret });
  expect(signed['x-webhook-signature']).toBe('sha256=77b456bf52679e45a679535782a2d946dc4c51ef2dea8b26822201368ef5784f');
});

test('a genuine body that is not JSON says so', () => {
  const signed = signWebhook({ id: 'evt_1', timestamp: now, body: 'hello', secrets: secret });
  expect(verify({ body: 'hello', headers: signed })).toMatchObject({ ok: false, reason: 'body_not_json' });
});

test('assertWebhook throws the reason, and returns what is genuine', () => {
  expect(assertWebhook<{ test: number }>({ body, headers, secrets: secret, now }).event.test).toBe(2_432_232_314);
  const thrown = () => assertWebhook({ body, headers, secrets: otherSecret, now });
  expect(thrown).toThrow(WebhookSignatureError);
  expect(thrown).toThrow(expect.objectContaining({ reason: 'no_match' }));
});

test('no reason shows the secret', () => {
  const faulty = ['sesame', ' sesame', 'whsec_sesame!', ['whsec_sesame', 'sesame'], 'whsec_sesame'];
  for (const secrets of faulty) expect(JSON.stringify(verify({ secrets }))).not.toContain('sesame');
});

const secretBytes = fc.uint8Array({ minLength: 1, maxLength: 64 }).map((bytes) => `whsec_${Buffer.from(bytes).toString('base64')}`);
const signedRequest = fc.record({
  secret: secretBytes,
  body: fc.json(),
  id: fc.stringMatching(/^evt_[0-9a-z]{1,26}$/),
  timestamp: fc.date({ min: new Date(0), max: new Date(1e13), noInvalidDate: true }),
});

test('whatever is signed is genuine, in both schemes', () => {
  fc.assert(
    fc.property(signedRequest, fc.constantFrom('standard' as const, 'raw-body' as const), (request, scheme) => {
      const signed = signWebhook({ ...request, secrets: request.secret });
      const result = verifyWebhook<WebhookEvent>({ body: request.body, headers: signed, secrets: request.secret, scheme, now: request.timestamp });
      expect(result).toEqual({ ok: true, scheme, event: JSON.parse(request.body), matchedSecret: 0 });
    }),
  );
});

test('with any one bit flipped, of the body or of a header that is signed, nothing is genuine', () => {
  fc.assert(
    fc.property(signedRequest, fc.constantFrom('body', 'webhook-id', 'webhook-timestamp', 'webhook-signature'), fc.nat(), (request, part, bit) => {
      const signed = signWebhook({ ...request, secrets: request.secret });
      const changed: VerifyOptions = { body: request.body, headers: signed, secrets: request.secret, now: request.timestamp, toleranceSeconds: Infinity };
      if (part === 'body') changed.body = flipBit(Buffer.from(request.body), bit);
      else changed.headers = { ...signed, [part]: flipBit(Buffer.from(signed[part]!), bit).toString('latin1') };
      expect(verifyWebhook(changed).ok).toBe(false);
    }),
  );
});

function flipBit(bytes: Buffer, bit: number): Buffer {
  const index = Math.floor(bit / 8) % bytes.length;
  bytes[index] = bytes[index]! ^ (1 << (bit % 8));
  return bytes;
}
