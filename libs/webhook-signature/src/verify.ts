// Says whether a webhook is genuine. A refused one is an answer and not an exception; `assertWebhook` is for those who
// prefer the exception.
import { timingSafeEqual } from 'node:crypto';
import { readRawBody, readStandard } from './claim.js';
import { refuse, WebhookSignatureError, type Refusal } from './refusal.js';
import { headerLookup, rawBytes, type RawBody, type RequestHeaders } from './request.js';
import type { Scheme } from './schemes.js';
import { readSecrets } from './secret.js';

export interface VerifyOptions {
  /** As it came over the wire, before any parser: one changed byte and no signature matches. */
  body: RawBody;
  headers: RequestHeaders;
  /** As shown when the webhook was created (`whsec_…`); during a rotation the new one and the old one. */
  secrets: string | readonly string[] | undefined;
  /**
   * `standard` (the default) refuses requests that are repeated later. `raw-body` can't, and is not fallen back to: whoever
   * repeats a request could choose it by leaving the other headers out.
   */
  scheme?: Scheme;
  /** How far `webhook-timestamp` may be from now, to both sides. Every attempt is signed anew. Default 300. */
  toleranceSeconds?: number;
  now?: Date;
}

/** The payload of every webhook; `data` depends on `type`. */
export interface WebhookEvent {
  /** Equals the `webhook-id` header, and stays the same however often the event is sent: what to remember to handle it once. */
  id: string;
  type: string;
  created_at: string;
  workspace_id: string;
  data: Record<string, unknown>;
}

export interface Genuine<Event = WebhookEvent> {
  ok: true;
  scheme: Scheme;
  /** The parsed body. Its signature says who sent it, so its type is taken on trust. */
  event: Event;
  /** Which of `secrets` made the signature: once it is always 0, the old one can go. */
  matchedSecret: number;
}

/** @param options.secrets undefined is refused like an empty one, so that an unset setting can't open the door */
export function verifyWebhook<Event = WebhookEvent>(options: VerifyOptions): Genuine<Event> | Refusal {
  const { scheme = 'standard', toleranceSeconds = 300, now = new Date() } = options;
  const configured = readSecrets(options.secrets);
  if (!configured.ok) return configured;
  const body = rawBytes(options.body);
  if (!body) return notRaw(options.body);

  // Whatever else is asked for gets the scheme that protects better.
  const claim = scheme === 'raw-body' ? readRawBody(headerLookup(options.headers)) : readStandard(headerLookup(options.headers));
  if (!claim.ok) return claim;
  const staleness = claim.seconds === undefined ? undefined : checkAge(claim.seconds, now, toleranceSeconds);
  if (staleness) return staleness;

  const matchedSecret = matchingIndex(configured.secrets.map((secret) => claim.expected(secret, body)), claim.signatures);
  if (matchedSecret === -1) return refuse('no_match', noMatchFacts);
  return parsed<Event>(body, scheme, matchedSecret);
}

/** @throws WebhookSignatureError with the reason */
export function assertWebhook<Event = WebhookEvent>(options: VerifyOptions): Genuine<Event> {
  const result = verifyWebhook<Event>(options);
  if (!result.ok) throw new WebhookSignatureError(result.reason, result.detail);
  return result;
}

/** What can be said without looking for the cause. */
const noMatchFacts =
  'No signature matches. Either the secret is that of another webhook, or the body is not byte for byte what was sent: ' +
  'read it raw, before a JSON parser or a text decoder. explainSignature() looks for the cause.';

function notRaw(body: unknown): Refusal {
  const found = body === undefined || body === null ? `${body}` : `of type ${typeof body}`;
  return refuse('body_not_raw', `The body is ${found}, and not the raw text or bytes: verify before parsing, and turn the JSON parser off for this route.`);
}

/** Written so that a tolerance that is not a number accepts nothing. */
function checkAge(seconds: number, now: Date, toleranceSeconds: number): Refusal | undefined {
  const age = Math.floor(now.getTime() / 1_000) - seconds;
  if (Math.abs(age) <= toleranceSeconds) return undefined;
  const limit = `the limit is ${toleranceSeconds} s`;
  if (age < 0) return refuse('timestamp_too_new', `webhook-timestamp is ${-age} s in the future; ${limit}. Is your clock slow?`);
  return refuse('timestamp_too_old', `webhook-timestamp is ${age} s old; ${limit}. The request is a repeated one or waited that long, or your clock is fast.`);
}

/** Compares all with all, whatever was found before: the time it takes tells nothing about the signatures. */
function matchingIndex(expected: string[], given: string[]): number {
  const isMatch = expected.map((right) => given.map((candidate) => isSame(candidate, right)).includes(true));
  return isMatch.indexOf(true);
}

/** As text and not decoded, because several texts decode to the same bytes. Lengths are no secret. */
function isSame(candidate: string, right: string): boolean {
  return candidate.length === right.length && timingSafeEqual(Buffer.from(candidate), Buffer.from(right));
}

function parsed<Event>(body: Buffer, scheme: Scheme, matchedSecret: number): Genuine<Event> | Refusal {
  try {
    return { ok: true, scheme, event: JSON.parse(body.toString('utf8')) as Event, matchedSecret };
  } catch {
    return refuse('body_not_json', 'The signature is genuine, but the body is not JSON.');
  }
}
