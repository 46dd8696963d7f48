// What an endpoint asks for with 429 or 503 and Retry-After (RFC 9110, 10.2.3): seconds, or an HTTP date (5.6.7). It counts from
// the head of an answer, even of one that breaks off. Pure.
import { receivedOf, type Outcome } from './outcome.js';

/** Longest that it is honoured: 24 h. */
const maxRetryAfterMs = 24 * 3_600_000;

export function asksToSlowDown(outcome: Outcome): boolean {
  const status = receivedOf(outcome)?.status;
  return status === 429 || status === 503;
}

/** @returns 0 to 24 h in milliseconds; undefined for other answers, and for what is neither seconds nor a date */
export function retryAfterMs(outcome: Outcome, now: number): number | undefined {
  if (!asksToSlowDown(outcome)) return undefined;
  const text = receivedOf(outcome)!.headers['retry-after']?.trim() ?? '';
  const ms = isSeconds.test(text) ? Math.ceil(Number(text) * 1_000) : httpDate(text) - now;
  return Number.isNaN(ms) ? undefined : Math.min(maxRetryAfterMs, Math.max(0, ms));
}

/** Whole ones by the standard; some servers send fractions. */
const isSeconds = /^\d+(\.\d+)?$/;

/** `Sun, 06 Nov 1994 08:49:37 GMT`, and the two older forms that a recipient has to know. Others, Date.parse would guess at. */
const fixdate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const rfc850 = /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/;
const asctime = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/;

function httpDate(text: string): number {
  if (fixdate.test(text) || rfc850.test(text)) return Date.parse(text);
  return asctime.test(text) ? Date.parse(`${text} GMT`) : NaN;
}
