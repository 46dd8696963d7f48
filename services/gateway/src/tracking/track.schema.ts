// What a client may send to /track: one hit, or up to 1,000 as {hits: […]}. Hits are judged one by one.
import type { JsonObject } from '@na/contracts';
import { z } from 'zod';
import { httpUrl, id, text, textOrEmpty, timestamp } from '../http/field-schemas.js';
import { inPlainWords } from '../http/plain-words.js';
import { shownAs } from '../openapi/zod-json-schema.js';
import { jsonFault, type JsonBounds } from './bounded-json.js';

export const hitIdForm = /^[\w.:-]{1,64}$/;
const maxHits = 1_000;
const maxAgeDays = 31;
const maxAheadMinutes = 5;
const propsBounds: JsonBounds = { maxDepth: 4, maxEntries: 100, maxTextLength: 1_000 };

const props = z
  .custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), 'Must be an object.')
  .superRefine((value, context) => {
    const fault = jsonFault(value, propsBounds);
    if (fault) context.addIssue({ code: 'custom', message: fault, params: { code: 'out_of_bounds' } });
  })
  .meta({ type: 'object', additionalProperties: true });

/** Who came. A server that tracks on behalf of its visitors gives an id, or else their address and user agent: its own are the same for all. */
const visitor = z.strictObject({
  id: text(128).optional().describe('The same for the same visitor, and of your own choosing.'),
  ip: z.union([z.ipv4(), z.ipv6()], 'Must be an IP address.').optional().describe("The visitor's address. It is not kept."),
  user_agent: textOrEmpty(1_000).optional().describe("The visitor's User-Agent. It is not kept."),
});

const utmFields = ['source', 'medium', 'campaign', 'term', 'content'] as const;

const hitFields = z.strictObject({
  hit_id: z
    .string()
    .regex(hitIdForm, 'Must be 1 to 64 letters, digits, or any of _ . : -')
    .optional()
    .describe('Of your own choosing, for a hit that may be sent again; unless given, one is made.'),
  page_id: id('page').optional().describe('The tracked page; in place of `url`.'),
  url: httpUrl.optional().describe('Its address; in place of `page_id`.'),
  type: z.enum(['pageview', 'engagement', 'event']).describe('What it is: a view, something done on the page, or an event that has a name.'),
  name: text(120).optional().describe('Of an event, and only of that: what goals go by.'),
  visitor: visitor.default({}).describe('Who came: an id, or else the address and user agent, from which one is derived that changes every day.'),
  occurred_at: timestamp.optional().describe(`When it happened, if not just now: at most ${maxAgeDays} days back.`),
  referrer: textOrEmpty(2_048).default('').describe('Where the visitor came from.'),
  utm: z.partialRecord(z.enum(utmFields), textOrEmpty(255)).default({}).describe('The campaign that led here.'),
  props: props.optional().describe('Whatever else you want to know of it: at most 100 entries in 4 levels.'),
});

export type TrackedHit = z.infer<typeof hitFields>;

/** What is valid depends on the moment: a hit may be late by a month and early by what clocks are apart. */
export function hitSchema(now: Date) {
  const oldest = now.getTime() - maxAgeDays * 86_400_000;
  const newest = now.getTime() + maxAheadMinutes * 60_000;
  return hitFields.superRefine(({ page_id, url, type, name, occurred_at }, context) => {
    const fault = (field: keyof TrackedHit, code: string, message: string) => {
      context.addIssue({ code: 'custom', path: [field], message, params: { code } });
    };
    if (!page_id && !url) fault('page_id', 'required', 'Give page_id or url.');
    if (page_id && url) fault('url', 'not_allowed', 'Give page_id or url, not both.');
    if (type === 'event' && !name) fault('name', 'required', 'An event has a name.');
    if (type !== 'event' && name) fault('name', 'not_allowed', 'Only events have a name.');
    // After a field of its own has been refused, this is still called with what was sent.
    const at = occurred_at instanceof Date ? occurred_at.getTime() : now.getTime();
    if (at < oldest) fault('occurred_at', 'too_old', `May lie at most ${maxAgeDays} days back.`);
    if (at > newest) fault('occurred_at', 'in_future', `May lie at most ${maxAheadMinutes} minutes ahead.`);
  });
}

/** A hit that came in a body, not yet judged, with its place there. */
export interface RawHit {
  pointer: string;
  value: unknown;
}

const many = z
  .strictObject({ hits: z.array(z.unknown()).min(1).max(maxHits) })
  .transform(({ hits }) => hits.map((value, index): RawHit => ({ pointer: `/hits/${index}`, value })));
const one = z.looseObject({}).transform((value): RawHit[] => [{ pointer: '', value }]);

const judged = z.unknown().transform((body, context): RawHit[] => {
  const schema = typeof body === 'object' && body !== null && 'hits' in body ? many : one;
  const result = schema.safeParse(body, inPlainWords);
  if (result.success) return result.data;
  context.issues.push(...result.error.issues.map((issue) => ({ ...issue, input: body }) as z.core.$ZodRawIssue));
  return z.NEVER;
});

export const trackBody = shownAs(judged, z.union([hitFields, z.strictObject({ hits: z.array(hitFields).min(1).max(maxHits).describe('Judged one by one.') })]));
