// A new secret for a key, and what becomes of the one before. Pure rules.
import { ServiceError } from '@na/service-error';
import type { ApiKey } from './api-key.entity.js';
import type { StoredDigest } from './key-digest.js';
import { keyStatus, type Life } from './key-status.js';

export const maxOverlapSeconds = 604_800;

/** More than anyone makes of one key in the day within which a request may be tried again. */
const rememberedRotations = 50;

export interface Rotation {
  /** The same in each try of one request. */
  rotationId: string;
  /** SHA-256 of the new secret. */
  secretDigest: Uint8Array;
  lastFour: string;
  /** 0 to 604,800. */
  overlapSeconds: number;
}

export type NewSecret = StoredDigest & { lastFour: string };

type Rotated = NewSecret & Pick<ApiKey, 'previousSecretMac' | 'previousPepperVersion' | 'previousEndsAt' | 'rotatedAt'>;

/** @throws ServiceError `conflict` for a key that is over or switched off: a new secret would bring it back */
export function checkRotatable(key: Life, now: Date): void {
  const status = keyStatus(key, { suspendedAt: null }, now);
  if (status === 'valid' || status === 'not_yet_valid') return;
  throw new ServiceError('conflict', `The key is ${status}: it gets no new secret.`);
}

/**
 * The secret so far lives on for the overlap; one that was living on already ends at once, so that there are two at most. Its
 * digest stays when it is over: whoever goes on with it is told from whoever guesses.
 */
export function rotated({ secretMac, pepperVersion }: StoredDigest, secret: NewSecret, overlapSeconds: number, now: Date): Rotated {
  // Without an overlap it is over by every clock, also one that is behind.
  const previousEndsAt = overlapSeconds === 0 ? new Date(0) : new Date(now.getTime() + overlapSeconds * 1_000);
  return { ...secret, rotatedAt: now, previousSecretMac: secretMac, previousPepperVersion: pepperVersion, previousEndsAt };
}

/** Names of the last rotations, newest first, after the one named `id`. */
export function rotationsAfter(ids: string[], id: string): string[] {
  return [id, ...ids].slice(0, rememberedRotations);
}

/** When the secret before the current one stops working: never after the key itself. Null when there is none. */
export function previousSecretEnd({ previousEndsAt, expiresAt }: Pick<ApiKey, 'previousEndsAt' | 'expiresAt'>): Date | null {
  return previousEndsAt && expiresAt && expiresAt < previousEndsAt ? expiresAt : previousEndsAt;
}

/** The same while it still works; null afterwards. */
export function overlapEnd(key: Pick<ApiKey, 'previousEndsAt' | 'expiresAt'>, now: Date): Date | null {
  const end = previousSecretEnd(key);
  return end && end > now ? end : null;
}
