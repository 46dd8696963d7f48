// How a batch of a replay is spread over time. Pure.

export interface Pace {
  /** When each of the batch becomes due, in order. */
  dueAt: Date[];
  /** When the next batch may begin: one step after the last of this one. */
  next: Date;
}

/** Evenly from `now` on, so that an endpoint never gets a second's worth of them at once. */
export function pace(count: number, ratePerSecond: number, now: Date): Pace {
  const at = (index: number) => new Date(now.getTime() + Math.ceil((index * 1_000) / ratePerSecond));
  return { dueAt: Array.from({ length: count }, (_, index) => at(index)), next: at(count) };
}
