// What a client may say of a webhook. Which event types exist, which headers may be added and what makes a good secret is
// for the dispatcher to say.
import { z } from 'zod';
import { httpUrl, id, lineOrEmpty, passedOn, text } from '../http/field-schemas.js';

/** Left in the URL they would be shown wherever it is, and sent to nobody. */
const url = httpUrl.refine((value) => !hasCredentials(value), {
  error: 'Must not contain a user name or password: add an Authorization header to the webhook instead.',
  params: { code: 'not_allowed' },
});

/** @param max how many can be named in one request; how many there can be is for the dispatcher to say */
const headers = <V extends z.ZodType>(value: V, max: number) =>
  z.record(z.string().max(256), value).refine((named) => Object.keys(named).length <= max, { error: `At most ${max} headers.`, params: { code: 'too_many' } });

const policy = {
  base_seconds: z.number().min(1).max(86_400),
  factor: z.number().min(1).max(10),
  max_seconds: z.number().min(1).max(86_400),
  max_attempts: z.int().min(1).max(30),
};

const eventTypes = z.array(passedOn(100)).min(1).max(50);
const headerValue = z.string().max(2_048);
const secret = text(200).describe('One of your own choosing, `whsec_` and 24 to 64 bytes in base64; unless given, one is made.');

/** Where null means the default. */
const optional = {
  description: lineOrEmpty(500).nullish(),
  page_ids: z.array(id('page')).max(100).nullish(),
  rate_limit_per_second: z.int().min(1).max(1_000).nullish(),
  max_in_flight: z.int().min(1).max(100).nullish(),
  timeout_ms: z.int().min(1_000).max(30_000).nullish(),
  ordered: z.boolean().nullish(),
};

export const newWebhook = z.strictObject({
  url,
  event_types: eventTypes,
  ...optional,
  headers: headers(headerValue, 20).nullish(),
  retry_policy: z.strictObject({
    base_seconds: policy.base_seconds.default(5),
    factor: policy.factor.default(4),
    max_seconds: policy.max_seconds.default(43_200),
    max_attempts: policy.max_attempts.default(12),
  }).nullish(),
  secret: secret.nullish(),
});

/** A JSON merge patch (RFC 7396). */
export const webhookPatch = z.strictObject({
  url: url.optional(),
  event_types: eventTypes.optional(),
  ...optional,
  headers: headers(headerValue.nullable(), 40).nullish(),
  retry_policy: z.strictObject({
    base_seconds: policy.base_seconds.nullish(),
    factor: policy.factor.nullish(),
    max_seconds: policy.max_seconds.nullish(),
    max_attempts: policy.max_attempts.nullish(),
  }).nullish(),
});

export const disabling = z.strictObject({ reason: lineOrEmpty(500).nullish().describe('Why, for whoever finds it disabled.') }).optional();

export const rotation = z
  .strictObject({
    overlap_seconds: z.int().min(0).max(604_800).nullish().describe('How long the secret before signs along; 86,400 unless given. At 0 it and all older ones end at once.'),
    secret: secret.nullish(),
  })
  .optional();

export const testDelivery = z.strictObject({ event_type: passedOn(100).describe('The type whose example is sent.') });

/** Wrong ones are what this is for: anything that is text can be explained. */
export const signedRequest = z.strictObject({
  secret: z.string().max(1_000).describe('The secret that you verify with.'),
  headers: z.record(z.string(), z.string()).describe('Those of the request, as they arrived.'),
  body: z.string().describe('That of the request, as it arrived.'),
});

export type NewWebhook = z.infer<typeof newWebhook>;
export type WebhookPatch = z.infer<typeof webhookPatch>;
export type Disabling = z.infer<typeof disabling>;
export type Rotation = z.infer<typeof rotation>;
export type TestDelivery = z.infer<typeof testDelivery>;
export type SignedRequest = z.infer<typeof signedRequest>;

/** Also asked of what has just been found to be no URL. */
function hasCredentials(value: string): boolean {
  const { username = '', password = '' } = URL.parse(value) ?? {};
  return username !== '' || password !== '';
}
