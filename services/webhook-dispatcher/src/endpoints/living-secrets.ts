// Which secrets of an endpoint sign at a moment: the current one, and those before it until their overlap ends. Pure.
import type { SigningSecrets } from '../deliveries/sign.js';
import type { PreviousSecret } from './endpoint.entity.js';
import type { SecretBox } from './secret-box.js';

/** An endpoint's secrets as they lie in its row. */
export interface SealedSecrets {
  endpoint_id: string;
  sealed_secret: Buffer;
  previous_secrets: PreviousSecret[];
}

export function livingSecrets(row: SealedSecrets, box: SecretBox, now: Date): SigningSecrets {
  return {
    current: box.open(row.sealed_secret, row.endpoint_id),
    previous: stillLiving(row.previous_secrets, now).map(({ sealed }) => box.open(Buffer.from(sealed, 'base64'), row.endpoint_id)),
  };
}

/** @returns those that are not over, in the order they came in: newest first */
export function stillLiving(previous: PreviousSecret[], now: Date): PreviousSecret[] {
  return previous.filter(({ until }) => new Date(until) > now);
}
