// Takes secrets that customers chose themselves. They cross the bus sealed to a key that every replica makes of the
// sealing keys, so that any of them can open what was sealed for another.
import { hkdfSync } from 'node:crypto';
import { replyKeyFrom, type ReplyKey } from '@na/messaging';
import { ServiceError } from '@na/service-error';
import { newEndpointSecret, type SealingKeys } from './secret-box.js';

export class SecretIntake {
  /** Newest first: while a new sealing key is rolled out, the one who seals may have asked a replica without it. */
  private readonly keys: ReplyKey[];

  constructor(sealingKeys: SealingKeys) {
    const versions = [...sealingKeys.keys()].sort((a, b) => b - a);
    this.keys = versions.map((version) => replyKeyFrom(new Uint8Array(hkdfSync('sha256', sealingKeys.get(version)!, '', 'na webhook secret intake v1', 32))));
  }

  /** X25519, 32 bytes. */
  get publicKey(): Uint8Array {
    return this.keys[0]!.publicKey;
  }

  /**
   * The secret that was chosen; a fresh one when none was.
   * @param sealed to `publicKey`; empty when none was chosen
   * @throws ServiceError `invalid_request` with the pointer /secret, which says what is wrong and never shows it
   */
  secretFrom(sealed: Uint8Array): string {
    if (sealed.length === 0) return newEndpointSecret();
    const secret = this.open(sealed);
    const fault = chosenSecretFault(secret);
    if (fault) throw new ServiceError('invalid_request', 'The secret can not be used.', { fields: [{ pointer: '/secret', ...fault }] });
    return secret;
  }

  private open(sealed: Uint8Array): string {
    for (const key of this.keys) {
      try {
        return key.open(sealed);
      } catch {
        // Perhaps it was sealed to an older one.
      }
    }
    throw new ServiceError('unavailable', 'The chosen secret could not be opened, as the keys of the service are being changed. Try again.');
  }
}

/** Of 24 random bytes not once in 10³⁰ so few are different; a repeated byte or pattern has fewer. */
const leastKinds = 8;

/** Of Standard Webhooks: `whsec_` and the base64 of 24 to 64 bytes. Pure. */
export function chosenSecretFault(secret: string): { code: string; detail: string } | undefined {
  const [, encoded] = /^whsec_(.*)$/s.exec(secret) ?? [];
  if (encoded === undefined) return { code: 'invalid_format', detail: 'Must begin with whsec_.' };
  const bytes = Buffer.from(encoded, 'base64');
  // Receivers decode it with libraries of all kinds: only the canonical form is read alike by all of them.
  if (bytes.toString('base64') !== encoded) return { code: 'invalid_format', detail: 'What follows whsec_ must be padded base64, of the standard alphabet and without white space.' };
  if (bytes.length < 24 || bytes.length > 64) return { code: 'invalid_length', detail: `What follows whsec_ must be the base64 of 24 to 64 bytes; it is that of ${bytes.length}.` };
  if (new Set(bytes).size < leastKinds) return { code: 'too_weak', detail: 'Its bytes are nearly all alike, so that it can be guessed. Take random ones.' };
  return undefined;
}
