// What a client may say of a webhook. What the dispatcher's rules can tell of a request by itself is asked of them here too, so that one
// answer names all that is wrong; which networks may be reached, and what a change makes of what there was, only the dispatcher knows.
import { chosenSecretFaults, inFlightFaults, retryPolicyFaults, webhookHeaderFaults, webhookUrlFaults } from '@na/contracts';
import { z } from 'zod';
import { eventPattern, id, lineOrEmpty, passedOn, text } from '../http/field-schemas.js';
import { judgedBy } from '../http/judged-by.js';

const url = text(2048)
  .pipe(z.string().check(judgedBy(webhookUrlFaults)))
  .meta({ format: 'uri' });

type NamedHeaders = Record<string, string | null>;

/** As many as one change can name, those that it takes away among them. */
const maxNamed = 40;

const headers = <V extends z.ZodType<string | null>>(value: V) =>
  z
    .record(z.string().max(256), value)
    .refine((named) => Object.keys(named).length <= maxNamed, { error: `At most ${maxNamed} headers.`, params: { code: 'too_many' }, abort: true })
    .check(judgedBy((named: NamedHeaders) => webhookHeaderFaults(kept(named))));

/** Numbers and the like are found to be no text already. */
function kept(named: NamedHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(named).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

const policy = {
  base_seconds: z.number().min(1).max(86_400),
  factor: z.number().min(1).max(10),
  max_seconds: z.number().min(1).max(86_400),
  max_attempts: z.int().min(1).max(30),
};

/** Defaults of a new webhook are there; of a change only what it names, and the rest is for the dispatcher to judge. */
const judgedPolicy = judgedBy(({ base_seconds: baseSeconds, max_seconds: maxSeconds }: { base_seconds?: number | null; max_seconds?: number | null }) =>
  typeof baseSeconds === 'number' && typeof maxSeconds === 'number' ? retryPolicyFaults({ baseSeconds, maxSeconds }) : [],
);

const eventTypes = z.array(eventPattern).min(1).max(50);
/** Its length is judged with that of all the others. */
const headerValue = z.string().meta({ maxLength: 2_048 });
const secret = text(200).pipe(z.string().check(judgedBy(chosenSecretFaults))).describe('One of your own choosing, `whsec_` and 24 to 64 bytes in base64; unless given, one is made.');

/** Where null means the default. */
const optional = {
  description: lineOrEmpty(500).nullish(),
  page_ids: z.array(id('page')).max(100).nullish(),
  rate_limit_per_second: z.int().min(1).max(1_000).nullish(),
  max_in_flight: z.int().min(1).max(100).nullish().describe('Most attempts at the same time. An ordered webhook has one: leave it out there, or say 1 or null; more is refused.'),
  timeout_ms: z.int().min(1_000).max(30_000).nullish(),
  ordered: z.boolean().nullish(),
};

/** Of a change where it names both; where it names one, the dispatcher knows the other. */
const judgedInFlight = judgedBy(({ ordered, max_in_flight: maxInFlight }: { ordered?: boolean | null; max_in_flight?: number | null }) =>
  ordered === true && typeof maxInFlight === 'number' ? inFlightFaults({ ordered, maxInFlight }) : [],
);

export const newWebhook = z.strictObject({
  url,
  event_types: eventTypes,
  ...optional,
  headers: headers(headerValue).nullish(),
  retry_policy: z.strictObject({
    base_seconds: policy.base_seconds.default(5),
    factor: policy.factor.default(4),
    max_seconds: policy.max_seconds.default(43_200),
    max_attempts: policy.max_attempts.default(12),
  }).check(judgedPolicy).nullish(),
  secret: secret.nullish(),
}).check(judgedInFlight);

/** A JSON merge patch (RFC 7396). */
export const webhookPatch = z.strictObject({
  url: url.optional(),
  event_types: eventTypes.optional(),
  ...optional,
  headers: headers(headerValue.nullable()).nullish(),
  retry_policy: z.strictObject({
    base_seconds: policy.base_seconds.nullish(),
    factor: policy.factor.nullish(),
    max_seconds: policy.max_seconds.nullish(),
    max_attempts: policy.max_attempts.nullish(),
  }).check(judgedPolicy).nullish(),
}).check(judgedInFlight);

export const disabling = z.strictObject({ reason: lineOrEmpty(500).nullish().describe('Why, for whoever finds it disabled.') }).optional();

export const rotation = z
  .strictObject({
    overlap_seconds: z.int().min(0).max(604_800).nullish().describe('How long the secret before signs along; 86,400 unless given. At 0 it and all older ones end at once.'),
    secret: secret.nullish(),
  })
  .optional();

/** What has no other meaning than that somebody tries a webhook out. */
export const defaultTestType = 'webhook.test';

export const testDelivery = z.strictObject({ event_type: passedOn(100).nullish().describe(`The type whose example is sent; \`${defaultTestType}\` unless given.`) }).optional();

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
