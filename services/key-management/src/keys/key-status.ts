// Whether a key may be used now: the one rule, as a pure function and in SQL.

export type KeyStatus = 'valid' | 'revoked' | 'expired' | 'disabled' | 'not_yet_valid' | 'suspended';

/** What of a key says when it may be used. */
export interface Life {
  revokedAt: Date | null;
  expiresAt: Date | null;
  disabledAt: Date | null;
  notBefore: Date | null;
}

/** From `expiresAt` on a key is expired, from `notBefore` on it is valid, both to the millisecond. What can't be undone is named first. */
export function keyStatus(key: Life, workspace: { suspendedAt: Date | null }, now: Date): KeyStatus {
  if (key.revokedAt) return 'revoked';
  if (key.expiresAt && now >= key.expiresAt) return 'expired';
  if (key.disabledAt) return 'disabled';
  if (key.notBefore && now < key.notBefore) return 'not_yet_valid';
  if (workspace.suspendedAt) return 'suspended';
  return 'valid';
}

export const shownStatuses = ['active', 'not_yet_valid', 'disabled', 'expired', 'revoked'] as const;

export type ShownStatus = (typeof shownStatuses)[number];

/** As the API shows it: a suspension is the workspace's state, not the key's. */
export function shownStatus(key: Life, now: Date): ShownStatus {
  const status = keyStatus(key, { suspendedAt: null }, now);
  return status === 'valid' ? 'active' : (status as ShownStatus);
}

/** `shownStatus` as an expression over a row of `keys`, for lists that are filtered by it. A test holds one against the other. */
export const shownStatusSql = `
  CASE WHEN key.revoked_at IS NOT NULL THEN 'revoked'
       WHEN key.expires_at <= :now THEN 'expired'
       WHEN key.disabled_at IS NOT NULL THEN 'disabled'
       WHEN key.not_before > :now THEN 'not_yet_valid'
       ELSE 'active' END`;
