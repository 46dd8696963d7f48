// The signatures of an attempt. Pure. Receivers verify over the exact bytes that were sent.
import { createHmac } from 'node:crypto';

/** What an attempt is signed with: while a rotation overlaps, also the secrets before the current one. */
export interface SigningSecrets {
  current: string;
  /** Newest first. */
  previous: string[];
}

/** What the standard signature covers besides the body. */
export interface SignedHeaders {
  'webhook-id': string;
  'webhook-timestamp': string;
}

export interface Signatures {
  'x-webhook-signature': string;
  'x-webhook-signature-previous'?: string;
  'webhook-signature': string;
}

/** @param timestamp when the attempt is made; sent in Unix seconds */
export function signedHeaders(eventId: string, timestamp: Date): SignedHeaders {
  return { 'webhook-id': eventId, 'webhook-timestamp': String(Math.floor(timestamp.getTime() / 1_000)) };
}

/**
 * `X-Webhook-Signature` is hex HMAC-SHA256 over the raw body, keyed with the secret as shown. The `webhook-*` headers are
 * those of Standard Webhooks 1.0.0: HMAC-SHA256 over `id.timestamp.body`, keyed with the decoded part after `whsec_`.
 * Where several secrets sign, `webhook-signature` and `X-Webhook-Signature-Previous` hold one of each, newest first, separated by spaces.
 * @param timestamp when the attempt is made
 */
export function sign(eventId: string, body: Buffer, { current, previous }: SigningSecrets, timestamp: Date): Signatures {
  const { 'webhook-id': id, 'webhook-timestamp': seconds } = signedHeaders(eventId, timestamp);
  return {
    'x-webhook-signature': bodySignature(current, body),
    ...(previous.length > 0 && { 'x-webhook-signature-previous': previous.map((secret) => bodySignature(secret, body)).join(' ') }),
    'webhook-signature': [current, ...previous].map((secret) => standardSignature(secret, `${id}.${seconds}.`, body)).join(' '),
  };
}

function bodySignature(secret: string, body: Buffer): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

function standardSignature(secret: string, prefix: string, body: Buffer): string {
  // As text: with a Buffer for its key, createHmac takes five times as long (Node 24.21).
  const encodedKey = secret.replace(/^whsec_/, '');
  return `v1,${createHmac('sha256', encodedKey, { encoding: 'base64' }).update(prefix).update(body).digest('base64')}`;
}
