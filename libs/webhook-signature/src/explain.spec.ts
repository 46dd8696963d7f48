import { createHmac } from 'node:crypto';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { explainSignature, mistakes, signWebhook, type ExplainOptions, type Mistake, type Scheme } from './index.js';

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const bare = secret.slice(6);
const now = new Date(1_614_265_330_000);
const body = '{"id":"evt_body","data":{"name":"Größe ✓","url":"https://example.com/"}}';
const genuine = signWebhook({ id: 'evt_1', timestamp: now, body, secrets: secret });
const explain = (changes: Partial<ExplainOptions> = {}) => explainSignature({ secret, headers: genuine, body, now, ...changes });

const mac = (key: string | Buffer, content: string, encoding: 'hex' | 'base64' | 'base64url') => createHmac('sha256', key).update(content).digest(encoding);
const key = Buffer.from(bare, 'base64');

const idBody = '{"id":"evt_1"}';

/** The mistakes found in the only signature of a scheme. */
function causes(scheme: Scheme, changes: Partial<ExplainOptions>): Mistake[] {
  const { given } = explain(changes).schemes.find((found) => found.scheme === scheme)!;
  return given[0]!.mistakes.map(({ code }) => code);
}

test('a genuine request is explained by what was signed and what was expected', () => {
  const { verdict, schemes } = explain();
  expect(verdict).toEqual({ ok: true });
  expect(schemes).toEqual([
    {
      scheme: 'standard',
      signed: { text: `evt_1.1614265330.${body}`, bytes: Buffer.byteLength(body) + 17 },
      expected: genuine['webhook-signature'],
      given: [{ header: 'webhook-signature', value: genuine['webhook-signature'], matches: true, mistakes: [] }],
      matches: true,
    },
    {
      scheme: 'raw-body',
      signed: { text: body, bytes: Buffer.byteLength(body) },
      expected: genuine['x-webhook-signature'],
      given: [{ header: 'x-webhook-signature', value: genuine['x-webhook-signature'], matches: true, mistakes: [] }],
      matches: true,
    },
  ]);
});

/** All of it can be written in Latin-1. */
const latinBody = body.replace(' ✓', '');

// The request is genuine; the receiver holds something else in its hands.
test.each<[Mistake[], Partial<ExplainOptions>]>([
  [['body_reserialised'], { body: JSON.stringify(JSON.parse(body), undefined, 4) }],
  [['body_reserialised'], { body: body.replaceAll('/', '\\/').replace('ö', '\\u00f6') }],
  [['body_trailing_newline'], { body: `${body}\r\n` }],
  [['body_wrong_charset'], { body: Buffer.from(Buffer.from(body).toString('latin1')) }],
  [['body_wrong_charset'], { body: Buffer.from(latinBody, 'latin1'), headers: signWebhook({ id: 'evt_1', timestamp: now, body: latinBody, secrets: secret }) }],
  [['secret_without_prefix'], { secret: bare }],
  [['secret_white_space'], { secret: `${secret}\n` }],
  [['secret_white_space', 'secret_without_prefix', 'body_trailing_newline'], { secret: ` ${bare}`, body: `${body}\n` }],
  [['body_base64'], { body: Buffer.from(body).toString('base64') }],
  [['body_base64'], { body: `${Buffer.from(body).toString('base64').replace(/=+$/, '')}\n` }],
  [['body_quoted'], { body: JSON.stringify(body) }],
  [['body_quoted'], { body: `b'${[...Buffer.from(body)].map((byte) => (byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`)).join('')}'\n` }],
  [['body_wrong_charset'], { body: `\ufeff${body}` }],
  [['body_empty'], { body: '' }],
  [['body_empty'], { body: Buffer.alloc(0) }],
  [['body_object_as_text'], { body: '[object Object]' }],
  [['unexplained'], { body: Buffer.from(body.replace('body', 'BODY')).toString('base64') }],
  [['unexplained'], { body: '[object Object]'.repeat(10) }],
  [['unexplained'], { secret: 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }],
  [['unexplained'], { body: body.replace('body', 'BODY') }],
])('what the receiver did wrong is found in both schemes: %s', (mistakes, changes) => {
  expect(causes('standard', changes)).toEqual(mistakes);
  expect(causes('raw-body', changes)).toEqual(mistakes);
});

test.each<[Mistake, Record<string, string>]>([
  ['timestamp_in_ms', { 'webhook-timestamp': '1614265330000' }],
  ['id_or_timestamp_changed', { 'webhook-timestamp': '1614265331' }],
  ['id_or_timestamp_changed', { 'webhook-id': 'evt_2' }],
])('a header that was changed on the way is found: %s', (mistake, changed) => {
  expect(causes('standard', { headers: { ...genuine, ...changed } })).toEqual([mistake]);
});

const content = `evt_1.1614265330.${body}`;

// The receiver has signed the genuine request himself to compare, and got it wrong.
test.each<[Mistake[], string]>([
  [['key_not_decoded'], `v1,${mac(secret, content, 'base64')}`],
  [['key_not_decoded'], `v1,${mac(bare, content, 'base64')}`],
  [['key_decoded_with_prefix'], `v1,${mac(Buffer.from(secret, 'base64'), content, 'base64')}`],
  [['wrong_id'], `v1,${mac(key, `evt_body.1614265330.${body}`, 'base64')}`],
  [['wrong_id'], `v1,${mac(key, `dlv_1.1614265330.${body}`, 'base64')}`],
  [['timestamp_in_ms'], `v1,${mac(key, `evt_1.1614265330000.${body}`, 'base64')}`],
  [['signed_body_only'], `v1,${mac(key, body, 'base64')}`],
  [['key_not_decoded', 'signed_body_only'], `v1,${mac(secret, body, 'base64')}`],
  [['hex_instead_of_base64'], mac(key, content, 'hex')],
  [['key_not_decoded', 'hex_instead_of_base64'], `v1,${mac(secret, content, 'hex')}`],
  [['wrong_spelling'], mac(key, content, 'base64')],
  [['wrong_spelling'], `v1,${mac(key, content, 'base64url')}`],
  [['body_trailing_newline'], `v1,${mac(key, `${content}\n`, 'base64')}`],
  [['unknown_form'], 'v1a,c2lnbmF0dXJl'],
])('in webhook-signature %s is found', (mistakes, signature) => {
  const headers = { ...genuine, 'x-webhook-delivery': 'dlv_1', 'webhook-signature': signature, 'x-webhook-signature': '' };
  expect(causes('standard', { headers })).toEqual(mistakes);
});

test.each<[Mistake[], string]>([
  [['key_without_prefix'], `sha256=${mac(bare, body, 'hex')}`],
  [['key_decoded'], `sha256=${mac(key, body, 'hex')}`],
  [['key_decoded', 'signed_id_and_timestamp', 'base64_instead_of_hex'], genuine['webhook-signature']!],
  [['base64_instead_of_hex'], `sha256=${mac(secret, body, 'base64')}`],
  [['wrong_spelling'], genuine['x-webhook-signature']!.toUpperCase().replace('SHA256', 'sha256')],
  [['signed_id_and_timestamp'], `sha256=${mac(secret, content, 'hex')}`],
  [['unknown_form'], 'sha1=00'],
])('in X-Webhook-Signature %s is found', (mistakes, signature) => {
  expect(causes('raw-body', { headers: { ...genuine, 'x-webhook-signature': signature } })).toEqual(mistakes);
});

test('during a rotation the signature of the other secret does not hide the one that matches', () => {
  const other = 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
  const { verdict, schemes } = explain({ headers: signWebhook({ id: 'evt_1', timestamp: now, body, secrets: [other, secret] }) });
  expect(verdict).toEqual({ ok: true });
  expect(schemes.map(({ given }) => given.map(({ header, matches }) => [header, matches]))).toEqual([
    [['webhook-signature', false], ['webhook-signature', true]],
    [['x-webhook-signature', false], ['x-webhook-signature-previous', true]],
  ]);
});

test('an old request matches, and the verdict says that it is old', () => {
  const { verdict, schemes } = explain({ now: new Date(now.getTime() + 86_400_000) });
  expect(verdict).toMatchObject({ ok: false, reason: 'timestamp_too_old', detail: expect.stringMatching(/^The signature matches: .* 86400 s old; the limit is 300 s/) });
  expect(schemes.map(({ matches }) => matches)).toEqual([true, true]);
});

test('that a request is old does not hide that it does not match either', () => {
  const { verdict } = explain({ now: new Date(now.getTime() + 86_400_000), body: `${body}\n` });
  expect(verdict).toMatchObject({ ok: false, reason: 'no_match', detail: expect.stringMatching(/^No signature matches\. .* 86400 s old/) });
});

const sentences = (codes: Mistake[]) => codes.map((code) => mistakes[code]).join(' ');

test.each<[Mistake[], Partial<ExplainOptions>]>([
  [['wrong_id'], { body: idBody, headers: { ...signWebhook({ id: 'evt_1', timestamp: now, body: idBody, secrets: secret }), 'webhook-id': 'evt_2' } }],
  [['id_or_timestamp_changed'], { headers: { ...genuine, 'webhook-id': 'evt_2' } }],
  [['id_or_timestamp_changed'], { headers: { ...genuine, 'webhook-timestamp': '1614265331' } }],
  [['id_or_timestamp_changed'], { headers: { ...genuine, 'webhook-timestamp': '1614265331' }, now: new Date(now.getTime() + 86_400_000) }],
  [['key_not_decoded'], { headers: { ...genuine, 'webhook-signature': `v1,${mac(secret, `evt_1.1614265330.${body}`, 'base64')}` } }],
  [['signed_body_only'], { headers: { ...genuine, 'webhook-signature': `v1,${mac(key, body, 'base64')}` } }],
])('the verdict tells %s, and not that nothing matches while X-Webhook-Signature does', (codes, changes) => {
  const { verdict, schemes } = explain(changes);
  expect(schemes[1]!.matches).toBe(true);
  const opening = 'webhook-signature does not match, X-Webhook-Signature does.';
  expect(verdict).toMatchObject({ ok: false, reason: 'no_match', detail: expect.stringContaining(`${opening} ${sentences(codes)}`) });
});

test.each<[Mistake[], Partial<ExplainOptions>]>([
  [['body_trailing_newline'], { body: `${body}\n` }],
  [['unexplained'], { secret: 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }],
  [['signed_body_only'], { headers: { ...genuine, 'x-webhook-signature': '', 'webhook-signature': `v1a,eA== v1,${mac(key, body, 'base64')}` } }],
  [['key_without_prefix'], { headers: { ...genuine, 'webhook-id': 'evt_2', 'x-webhook-signature': `sha256=${mac(bare, body, 'hex')}` } }],
])('the verdict tells %s where nothing matches', (codes, changes) => {
  expect(explain(changes).verdict).toMatchObject({ ok: false, reason: 'no_match', detail: `No signature matches. ${sentences(codes)}` });
});

test('the verdict on a signature of another form tells which form it is in', () => {
  const { verdict } = explain({ headers: { ...genuine, 'webhook-signature': mac(key, `evt_1.1614265330.${body}`, 'hex') } });
  expect(verdict).toMatchObject({ ok: false, reason: 'malformed_signature', detail: expect.stringContaining(mistakes.hex_instead_of_base64) });
});

test('an explanation does not send people to where they are', () => {
  expect(JSON.stringify(explain({ body: '{}' }))).not.toContain('explainSignature');
});

test.each<[string, Partial<ExplainOptions>]>([
  ['malformed_secret', { secret: '' }],
  ['malformed_secret', { secret: 'whsec_?' }],
  ['body_not_raw', { body: JSON.parse(body) }],
  ['missing_signature', { headers: { 'content-type': 'application/json' } }],
])('where nothing can be compared, the verdict says why: %s', (reason, changes) => {
  expect(explain(changes)).toMatchObject({ verdict: { ok: false, reason }, schemes: [] });
});

test('X-Webhook-Signature alone is judged by itself', () => {
  const { verdict, schemes } = explain({ headers: { 'x-webhook-signature': genuine['x-webhook-signature'] } });
  expect(verdict).toEqual({ ok: true });
  expect(schemes.map(({ scheme }) => scheme)).toEqual(['raw-body']);
});

test('the secret is in no explanation, and whatever comes in is explained without throwing', () => {
  const anySecret = fc.oneof(fc.string(), fc.uint8Array({ minLength: 16 }).map((bytes) => `whsec_${Buffer.from(bytes).toString('base64')}`));
  const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature', 'x-webhook-signature'];
  const anyHeaders = fc.dictionary(fc.constantFrom(...names), fc.string());
  fc.assert(
    fc.property(anySecret, anyHeaders, fc.oneof(fc.json(), fc.string()), (given, headers, anyBody) => {
      const explanation = JSON.stringify(explainSignature({ secret: given, headers, body: anyBody, now }));
      if (given.length > 20) expect(explanation).not.toContain(given.slice(6));
    }),
  );
});

test.each([
  ['a million signs of equality before its end', `${'='.repeat(1e6)}a`],
  ['a million line breaks before its end', `${'\n'.repeat(1e6)}a`],
  ['arrays nested half a million deep', '['.repeat(5e5) + ']'.repeat(5e5)],
])('a body with %s is explained like any other', (_name, hostile) => {
  expect(explain({ body: hostile }).schemes.map(({ matches }) => matches)).toEqual([false, false]);
});
