import { expect, test } from '@jest/globals';
import type { HealthSignal } from '../health/endpoint-health.js';
import type { Alert } from './alert.js';
import { composeAlertMail } from './alert-mail.js';

const failingSince = new Date('2026-03-01T00:30:00Z');
const facts = { at: new Date('2026-03-02T00:30:00Z'), failingSince, failedAttempts: 9, responseCode: 503 };
const failing: HealthSignal = { kind: 'failing', warning: 1, disabledAtEarliest: new Date('2026-03-04T00:30:00Z'), ...facts };
const disabled: HealthSignal = { kind: 'disabled', cause: 'gone', reason: 'The endpoint answered 410 Gone.', ...facts, responseCode: 410 };
const recovered: HealthSignal = { kind: 'recovered', at: facts.at, failingSince, failedAttempts: 9 };

const acme = { name: 'Acme', timeZone: 'Europe/Berlin' };
const alertOf = (signal: HealthSignal, overrides: Partial<Alert> = {}): Alert => ({
  id: 'evt_1',
  endpointId: 'we_1',
  url: 'https://api.example.com/hooks',
  description: 'Orders',
  signal,
  createdAt: facts.at,
  ...overrides,
});

test('a warning tells since when, the last answer, when the endpoint may be disabled and how to mend it', () => {
  const { subject, text } = composeAlertMail([alertOf(failing)], acme);
  expect(subject).toBe('Webhook endpoint failing: api.example.com (Acme)');
  expect(text).toContain('https://api.example.com/hooks\n(we_1, Orders)');
  expect(text).toContain('No attempt has succeeded since 1 Mar 2026, 01:30:00 CET; 9 attempts failed. The last answer was 503.');
  expect(text).toContain('the first failure after 4 Mar 2026, 01:30:00 CET disables the endpoint');
  expect(text).toContain("Check your server's log");
  expect(text).toContain('POST /api/v1/webhooks/we_1/test');
  expect(text).not.toContain('/enable');
});

test('a disabling tells why, how to enable, and that events are kept for replay', () => {
  const { subject, text } = composeAlertMail([alertOf(disabled)], acme);
  expect(subject).toBe('Webhook endpoint disabled: api.example.com (Acme)');
  expect(text).toContain('disabled at 2 Mar 2026, 01:30:00 CET. It answered 410 Gone');
  expect(text).toContain('POST /api/v1/webhooks/we_1/enable');
  expect(text).toContain('Its events are kept');
  expect(text).toContain('POST /api/v1/webhooks/we_1/replays');
});

test('where the API can be reached stands before its addresses, once the operator has said it', () => {
  const { text } = composeAlertMail([alertOf(disabled)], acme, 'https://api.acme.example');
  expect(text).toContain('GET https://api.acme.example/api/v1/webhooks/we_1/deliveries');
  expect(text).toContain('POST https://api.acme.example/api/v1/webhooks/we_1/enable');
});

test('a disabling for want of a success tells since when and how often, in the time zone of the owners', () => {
  const { text } = composeAlertMail([alertOf({ ...disabled, cause: 'no_success', responseCode: 503 })], acme);
  expect(text).toContain('No attempt had succeeded since 1 Mar 2026, 01:30:00 CET; 9 attempts failed. The last answer was 503.');
});

test('a recovery asks for nothing', () => {
  const { subject, text } = composeAlertMail([alertOf(recovered)], acme);
  expect(subject).toBe('Webhook endpoint working again: api.example.com (Acme)');
  expect(text).toContain('after 9 attempts that had failed since 1 Mar 2026, 01:30:00 CET');
  expect(text).not.toContain('How to mend it');
});

test('an attempt without an answer is told with its error and what to check', () => {
  const { text } = composeAlertMail([alertOf({ ...failing, responseCode: undefined, error: 'tls_error' })], acme);
  expect(text).toContain('The last attempt got no answer: tls_error.');
  expect(text).toContain('Check that the certificate is valid');
});

test('several alerts are one mail with all of them, counted in the subject', () => {
  const { subject, text } = composeAlertMail([alertOf(failing), alertOf(failing, { endpointId: 'we_2' }), alertOf(disabled, { endpointId: 'we_3' })], acme);
  expect(subject).toBe('Webhook endpoints: 1 disabled, 2 failing (Acme)');
  for (const id of ['we_1', 'we_2', 'we_3']) expect(text).toContain(`(${id}, Orders)`);
});

test('credentials and query of a URL stay out of the mail', () => {
  const { subject, text } = composeAlertMail([alertOf(failing, { url: 'https://user:pass@api.example.com/hooks?token=s3cret#x' })], acme);
  expect(subject + text).not.toMatch(/pass|s3cret/);
});

test.each([
  ['a line break', 'Acme\r\nBcc: victim@example.com'],
  ['a bare carriage return', 'Acme\rBcc: victim@example.com'],
  ['a Unicode line separator', 'Acme\u2028Bcc: victim@example.com'],
  ['a NUL', 'Acme\u0000Bcc: victim@example.com'],
])('%s in a name or a description starts no line of its own', (_what, injected) => {
  const { subject, text } = composeAlertMail([alertOf(failing, { description: injected })], { ...acme, name: injected });
  expect(subject).toBe('Webhook endpoint failing: api.example.com (Acme Bcc: victim@example.com)');
  expect(text.split(/[\r\n\u2028\0]/).filter((line) => line.startsWith('Bcc'))).toEqual([]);
});

test('characters that turn the direction of text are dropped, and long texts are cut', () => {
  const { subject } = composeAlertMail([alertOf(failing)], { ...acme, name: `\u202Egpj.exe${'x'.repeat(100)}` });
  expect(subject).not.toContain('\u202E');
  expect(subject.length).toBeLessThan(120);
});

test('a URL that can not be parsed is told by its endpoint', () => {
  expect(composeAlertMail([alertOf(failing, { url: 'not a url' })], acme).subject).toBe('Webhook endpoint failing: we_1 (Acme)');
});

test('an unknown time zone is shown as UTC', () => {
  expect(composeAlertMail([alertOf(failing)], { ...acme, timeZone: 'Mars/Olympus' }).text).toContain('1 Mar 2026, 00:30:00 UTC');
});
