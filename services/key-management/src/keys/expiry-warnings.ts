// When it is told that a key will soon end. A pure rule.

const dayMs = 86_400_000;

/**
 * The first of the warnings that lies ahead; null when none does. What would have been due before now is left out: whoever
 * gives a key two days to live needs no telling that it has less than seven.
 * @param daysBefore the expiry, in any order
 */
export function nextWarningAt(expiresAt: Date | null, daysBefore: readonly number[], now: Date): Date | null {
  if (!expiresAt) return null;
  const ahead = daysBefore.map((days) => expiresAt.getTime() - days * dayMs).filter((time) => time > now.getTime());
  return ahead.length > 0 ? new Date(Math.min(...ahead)) : null;
}
