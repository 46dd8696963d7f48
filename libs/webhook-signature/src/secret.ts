// Endpoint secrets: `whsec_` and the base64 of the key. The schemes make different keys of one secret.
import { refuse, type Refusal } from './refusal.js';

const secretForm = /^whsec_[A-Za-z0-9+/]+={0,2}$/;

/** Of Standard Webhooks: the decoded part after `whsec_`. */
export function decodedKey(secret: string): Buffer {
  return Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
}

/** Of X-Webhook-Signature: the secret's text as it is shown, `whsec_` included. */
export function textKey(secret: string): Buffer {
  return Buffer.from(secret, 'utf8');
}

/** One faulty secret refuses all: it is a mistake in the configuration, and better found before the rotation needs it. */
export function readSecrets(given: unknown): { ok: true; secrets: string[] } | Refusal {
  const secrets: unknown[] = Array.isArray(given) ? given : [given];
  if (secrets.length === 0) return refuse('malformed_secret', 'There is no secret to verify with: the list of secrets is empty.');
  for (const [index, secret] of secrets.entries()) {
    const fault = faultOf(secret);
    if (fault) return refuse('malformed_secret', `${secrets.length > 1 ? `Secret ${index + 1} of ${secrets.length}` : 'The secret'} ${fault}`);
  }
  return { ok: true, secrets: secrets as string[] };
}

/** Never shows the secret, nor a part of it. */
function faultOf(secret: unknown): string | undefined {
  if (secret === undefined || secret === '') return 'is empty. Is the setting that holds it there?';
  if (typeof secret !== 'string') return `is of type ${secret === null ? 'null' : typeof secret}, and not a string.`;
  if (/\s/.test(secret)) return 'has white space in it. Remove it; files often end in a line break.';
  if (!secret.startsWith('whsec_')) return 'does not begin with whsec_. Use it as it was shown when the webhook was created, prefix included.';
  if (!secretForm.test(secret)) return 'is not base64 after whsec_. Copy it again, whole.';
  return undefined;
}
