// Signs like the sender does, for the tests of those who receive.
import { WebhookSignatureError } from './refusal.js';
import { rawBytes, type RawBody } from './request.js';
import { headerNames, rawBodySignature, standardPrefix, standardSignature } from './schemes.js';
import { readSecrets } from './secret.js';

export interface SignOptions {
  /** The event's id: `webhook-id`. */
  id: string;
  /** When the request is made; goes over the wire in whole seconds. */
  timestamp: Date;
  body: RawBody;
  /** The current secret, and during a rotation the one before. */
  secrets: string | readonly string[];
}

/**
 * @returns the signature headers of a request, by lower-case name
 * @throws WebhookSignatureError for a malformed secret, and for a body that is not raw
 */
export function signWebhook({ id, timestamp, body, secrets }: SignOptions): Record<string, string> {
  const bytes = rawBytes(body);
  if (!bytes) throw new WebhookSignatureError('body_not_raw', 'Sign the text or bytes that will be sent, and not an object.');
  const given = readSecrets(secrets);
  if (!given.ok) throw new WebhookSignatureError(given.reason, given.detail);

  const seconds = String(Math.floor(timestamp.getTime() / 1_000));
  const prefix = standardPrefix(id, seconds);
  const [current, previous] = given.secrets.map((secret) => rawBodySignature(secret, bytes));
  return {
    [headerNames.id]: id,
    [headerNames.timestamp]: seconds,
    [headerNames.standard]: given.secrets.map((secret) => standardSignature(secret, prefix, bytes)).join(' '),
    [headerNames.rawBody]: current!,
    ...(previous && { [headerNames.rawBodyPrevious]: previous }),
  };
}
