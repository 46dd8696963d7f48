// The two signatures that every request carries. Pure.
// `standard` is Standard Webhooks 1.0.0 (https://www.standardwebhooks.com): HMAC-SHA256 over `id.timestamp.body`, so that a
// request can't be sent again later. `raw-body` is HMAC-SHA256 over the body alone: three lines in any language, but what
// was once signed stays valid for ever.
import { createHmac } from 'node:crypto';
import { decodedKey, textKey } from './secret.js';

export type Scheme = 'standard' | 'raw-body';

export const headerNames = {
  id: 'webhook-id',
  timestamp: 'webhook-timestamp',
  standard: 'webhook-signature',
  rawBody: 'x-webhook-signature',
  rawBodyPrevious: 'x-webhook-signature-previous',
} as const;

/** What `standard` signs before the body. */
export function standardPrefix(id: string, timestamp: string): string {
  return `${id}.${timestamp}.`;
}

export function standardSignature(secret: string, prefix: string, body: Uint8Array): string {
  return `v1,${hmac(decodedKey(secret), prefix, body).toString('base64')}`;
}

export function rawBodySignature(secret: string, body: Uint8Array): string {
  return `sha256=${hmac(textKey(secret), '', body).toString('hex')}`;
}

/**
 * In two steps, so that the body is not copied.
 * @internal
 */
export function hmac(key: Uint8Array, prefix: string, body: Uint8Array): Buffer {
  return createHmac('sha256', key).update(prefix, 'utf8').update(body).digest();
}
