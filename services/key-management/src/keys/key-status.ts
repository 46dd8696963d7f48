// Whether a key may be used now. A pure rule.

export type KeyStatus = 'valid' | 'revoked' | 'expired' | 'suspended';

/** A key is expired from `expiresAt` on, to the millisecond. What can't be undone is named before what can. */
export function keyStatus(key: { revokedAt: Date | null; expiresAt: Date | null }, workspace: { suspendedAt: Date | null }, now: Date): KeyStatus {
  if (key.revokedAt) return 'revoked';
  if (key.expiresAt && now >= key.expiresAt) return 'expired';
  if (workspace.suspendedAt) return 'suspended';
  return 'valid';
}
