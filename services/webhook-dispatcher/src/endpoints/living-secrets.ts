// Which secrets of an endpoint sign at a moment: the current one, and those before it until their overlap ends. Each is
// opened once, when it is first to sign: what holds the result holds secrets in memory.
import type { SigningSecrets } from '../deliveries/sign.js';
import type { PreviousSecret } from './endpoint.entity.js';
import type { SecretBox } from './secret-box.js';

/** An endpoint's secrets as they lie in its row. */
export interface SealedSecrets {
  endpoint_id: string;
  sealed_secret: Buffer;
  previous_secrets: PreviousSecret[];
}

/** @returns what signs at a given moment. It throws what `box` says of one that does not open */
export function livingSecrets(row: SealedSecrets, box: SecretBox): (now: Date) => SigningSecrets {
  const current = once(() => box.open(row.sealed_secret, row.endpoint_id));
  const previous = row.previous_secrets.map(({ sealed, until }) => ({ until, open: once(() => box.open(Buffer.from(sealed, 'base64'), row.endpoint_id)) }));
  return (now) => ({ current: current(), previous: stillLiving(previous, now).map(({ open }) => open()) });
}

/** @returns those that are not over, in the order they came in: newest first */
export function stillLiving<T extends Pick<PreviousSecret, 'until'>>(previous: T[], now: Date): T[] {
  return previous.filter(({ until }) => new Date(until) > now);
}

function once<T>(open: () => T): () => T {
  let opened: T | undefined;
  return () => (opened ??= open());
}
