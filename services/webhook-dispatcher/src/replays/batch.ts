// Which of the candidates at hand make the next batch of a replay. Pure.

export interface Batch<T> {
  chosen: T[];
  /** The last candidate that is dealt with, chosen or not; undefined when there were none. */
  last: T | undefined;
  /** Nothing comes after this batch. */
  isFinal: boolean;
}

/**
 * @param found the first candidates in order, `limit` of them at most
 * @param size most that may be chosen
 */
export function chooseBatch<T>(found: T[], limit: number, size: number, isWanted: (candidate: T) => boolean): Batch<T> {
  const chosen = found.filter(isWanted).slice(0, size);
  // A full batch ends with its last one: candidates behind it wait for the next batch.
  const last = chosen.length === size ? chosen.at(-1) : found.at(-1);
  return { chosen, last, isFinal: found.length < limit && last === found.at(-1) };
}
