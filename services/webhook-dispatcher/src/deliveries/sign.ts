// The two signatures of an attempt. Pure. Receivers verify over the exact bytes that were sent.
import { createHmac } from 'node:crypto';

export interface SignedHeaders {
  'x-webhook-signature': string;
  'webhook-id': string;
  'webhook-timestamp': string;
  'webhook-signature': string;
}

/**
 * `X-Webhook-Signature` is hex HMAC-SHA256 over the raw body, keyed with the secret as shown. The `webhook-*` headers are
 * those of Standard Webhooks 1.0.0: HMAC-SHA256 over `id.timestamp.body`, keyed with the decoded part after `whsec_`.
 * @param timestamp when the attempt is made
 */
export function sign(eventId: string, body: Buffer, secret: string, timestamp: Date): SignedHeaders {
  const seconds = String(Math.floor(timestamp.getTime() / 1_000));
  const standardKey = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const standard = createHmac('sha256', standardKey).update(`${eventId}.${seconds}.`).update(body).digest('base64');
  return {
    'x-webhook-signature': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    'webhook-id': eventId,
    'webhook-timestamp': seconds,
    'webhook-signature': `v1,${standard}`,
  };
}
