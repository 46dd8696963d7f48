import { expect, test } from '@jest/globals';
import { retryAfterMs } from './retry-after.js';
import type { Outcome } from './outcome.js';

const now = Date.parse('2026-01-01T00:00:00Z');
const answered = (status: number, retryAfter: string) => ({ kind: 'answered', status, headers: { 'retry-after': retryAfter } }) as unknown as Outcome;

test.each([
  ['120', 120_000],
  [' 120 ', 120_000],
  ['0', 0],
  ['1.5', 1_500],
  ['60.0', 60_000],
  ['3600.5', 3_600_500],
  ['86400', 86_400_000],
  ['86401', 86_400_000],
  ['9'.repeat(400), 86_400_000],
  ['Thu, 01 Jan 2026 00:05:00 GMT', 300_000],
  ['Thursday, 01-Jan-26 00:05:00 GMT', 300_000],
  ['Thu Jan  1 00:05:00 2026', 300_000],
  ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
])('Retry-After: %s', (text, ms) => {
  expect([retryAfterMs(answered(429, text), now), retryAfterMs(answered(503, text), now)]).toEqual([ms, ms]);
});

test.each(['', 'soon', '-1', '1e3', '0x10', '2026-01-01', '2026-01-01T00:05:00Z', 'Thu, 32 Jan 2026 00:05:00 GMT'])('%j asks for nothing', (text) => {
  expect(retryAfterMs(answered(429, text), now)).toBeUndefined();
});

test('in an answer that does not ask to slow down it means nothing', () => {
  expect(retryAfterMs(answered(500, '120'), now)).toBeUndefined();
});
