// Which partition of the hits table a moment belongs to. Pure; months are in UTC.

export interface MonthPartition {
  /** `hits_2026_11`. */
  name: string;
  /** Inclusive. */
  from: Date;
  /** Exclusive. */
  to: Date;
}

/** What the gateway accepts, counted from the moment it received a hit. */
const maxAgeMs = 31 * 24 * 3_600_000;
const maxAheadMs = 5 * 60_000;

export function monthPartition(moment: Date): MonthPartition {
  const [year, month] = [moment.getUTCFullYear(), moment.getUTCMonth()];
  const from = new Date(Date.UTC(year, month));
  return { name: `hits_${from.toISOString().slice(0, 7).replace('-', '_')}`, from, to: new Date(Date.UTC(year, month + 1)) };
}

/** The month of a moment with the ones before and after it. */
export function monthsAround(moment: Date): MonthPartition[] {
  const { from, to } = monthPartition(moment);
  return [monthPartition(new Date(from.getTime() - 1)), monthPartition(from), monthPartition(to)];
}

/**
 * The partition a hit needs, or undefined for the default one. Hits far from the time they were received, which the
 * gateway does not let through, must not be able to make a table for any month they name.
 */
export function partitionOfHit({ occurredAt, receivedAt }: { occurredAt: Date; receivedAt: Date }): MonthPartition | undefined {
  const ageMs = receivedAt.getTime() - occurredAt.getTime();
  return ageMs <= maxAgeMs && ageMs >= -maxAheadMs ? monthPartition(occurredAt) : undefined;
}
