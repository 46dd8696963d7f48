// A merge patch on a key: what it makes of the key, and whether that is anything new. Pure.
import { isDeepStrictEqual } from 'node:util';
import type { ApiKey } from './api-key.entity.js';
import type { Grant } from './key-grant.js';

/** What is not given stays; null is without. */
export type KeyPatch = Partial<Pick<ApiKey, 'name'> & Grant> & { disabled?: boolean };

/** @returns only what differs */
export function changesOf(key: ApiKey, { disabled, ...patch }: KeyPatch, now: Date): Partial<ApiKey> {
  const wanted: Partial<ApiKey> = { ...patch };
  if (disabled !== undefined) wanted.disabledAt = disabled ? (key.disabledAt ?? now) : null;
  const differing = Object.entries(wanted).filter(([field, value]) => !isDeepStrictEqual(value, key[field as keyof ApiKey]));
  return Object.fromEntries(differing);
}
