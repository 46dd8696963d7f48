// Where in time a page of the delivery table is looked for: first in the newest day or two, where most pages are found,
// then in all that was asked for. Pure.

export interface SearchWindow {
  /** Included. */
  since?: Date;
  /** Not included. */
  until?: Date;
}

const dayMs = 86_400_000;

/**
 * Each contains the one before: what fills a page in the first is the page. Planning and probing the
 * partitions of two days and those ahead takes a fourth of what all 38 do.
 * @param after when the last delivery of the page before happened
 */
export function searchWindows({ since, until }: SearchWindow, after: Date | undefined, now: Date): SearchWindow[] {
  const whole = { since, until: earliest(until, after && new Date(after.getTime() + 1)) };
  const newest = new Date(startOfDay(earliest(whole.until, now)!).getTime() - dayMs);
  return since && since >= newest ? [whole] : [{ ...whole, since: newest }, whole];
}

/** The smallest window of whole days (UTC), and so of whole partitions, around a window. */
export function daysAround({ since, until }: SearchWindow): SearchWindow {
  return { since: since && startOfDay(since), until: until && new Date(startOfDay(new Date(until.getTime() - 1)).getTime() + dayMs) };
}

function startOfDay(time: Date): Date {
  return new Date(Math.floor(time.getTime() / dayMs) * dayMs);
}

function earliest(...times: (Date | undefined)[]): Date | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length > 0 ? new Date(Math.min(...known.map((time) => time.getTime()))) : undefined;
}
