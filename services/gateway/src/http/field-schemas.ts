// The kinds of fields that bodies and queries are made of.
import { eventPatternFaults, windowFaults } from '@na/contracts';
import { redact } from '@na/service-host';
import { z } from 'zod';
import { isTypeId, typeIdSuffix } from '../auth/type-id.js';
import { shownAs } from '../openapi/zod-json-schema.js';
import { judgedBy } from './judged-by.js';

/** PostgreSQL can't store U+0000, and half a surrogate pair is no character. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** What can't be stored is told once, and not also for what else it is. */
const storable = { error: 'Must not contain U+0000 or half a surrogate pair.', abort: true };

/** @param maxLength in UTF-16 units */
export const text = (maxLength: number) => z.string().min(1).max(maxLength).refine(isStorable, storable);

/** Control characters and line ends, and what turns the direction of the text around it: in a list one name would stand for another. */
const deceptive = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

const oneLine = (schema: z.ZodString) =>
  schema.refine((value) => !deceptive.test(value), 'Must not contain control characters, or any that change the direction of text.');

/** What people tell things apart by. */
export const name = (maxLength: number) => oneLine(text(maxLength)).refine((value) => value.trim() !== '', 'Must not be blank.');

export const textOrEmpty = (maxLength: number) => z.string().max(maxLength).refine(isStorable, storable);

/** What is shown in the line of a list or the subject of a mail, beside a name or in its place. */
export const lineOrEmpty = (maxLength: number) => oneLine(textOrEmpty(maxLength));

/** For another service to judge. What must not be on the bus even if it is refused there is refused here. */
export const passedOn = (maxLength: number) =>
  text(maxLength).refine((value) => redact(value) === value, { error: 'Must not contain an API key or a webhook secret.', params: { code: 'not_allowed' } });

/** An event type, a family such as `goal.*`, or `*`. */
export const eventPattern = passedOn(100).pipe(z.string().check(judgedBy(eventPatternFaults)));

export const id = (prefix: string) =>
  z
    .string()
    .refine((value) => isTypeId(prefix, value), { error: `Must be an id of the form ${prefix}_….`, params: { code: 'invalid_format' } })
    .meta({ pattern: `^${prefix}_${typeIdSuffix}$` });

export const httpUrl = text(2048)
  .pipe(z.url({ protocol: /^https?$/, error: 'Must be an http or https URL.' }))
  .meta({ format: 'uri' });

/** RFC 3339 with any offset; finer than milliseconds is cut off. */
export const timestamp = z.iso
  .datetime({ offset: true, error: 'Must be a timestamp such as 2026-03-01T12:00:00Z.' })
  .transform((value) => new Date(value))
  .refine((date) => date.getUTCFullYear() <= 9_999, 'Must lie before the year 10000.');

const dateOnly = (value: unknown) => (value instanceof Date ? value : undefined);

/** For a query with both: what is no time is told of by itself. */
export const windowInOrder = judgedBy(({ since, until }: { since?: Date; until?: Date }) => windowFaults({ since: dateOnly(since), until: dateOnly(until) }));

export const timeZone = text(64).refine(isTimeZone, { error: 'Must be an IANA time zone such as Europe/Berlin.', params: { code: 'unknown_time_zone' } });

/** A whole number in a query, where everything is text. */
export const wholeNumber = (min: number, max: number) => {
  const digits = z.string().regex(/^\d{1,9}$/, 'Must be a whole number.');
  return shownAs(digits.transform(Number).pipe(z.number().min(min).max(max)), z.int().min(min).max(max));
};

/** Offsets such as +01:00, which Intl takes too, are no zones: they know no summer time. */
function isTimeZone(name: string): boolean {
  try {
    return /^[A-Za-z]/.test(name) && new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}
