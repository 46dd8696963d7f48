// Splits a batch of hits so that no part is larger than one statement should be. Pure.
import type { HitRow } from './hit-row.js';

/** @returns parts in the order of the rows, each of at most `maxText` characters or of a single row */
export function boundedParts(rows: HitRow[], maxText: number): HitRow[][] {
  const parts: HitRow[][] = [];
  let room = 0;
  for (const row of rows) {
    const size = textOf(row);
    if (parts.length === 0 || size > room) {
      parts.push([]);
      room = maxText;
    }
    parts.at(-1)!.push(row);
    room -= size;
  }
  return parts;
}

function textOf({ url, referrer, utm, props }: HitRow): number {
  return [url, referrer, utm, props].reduce((sum, text) => sum + (text?.length ?? 0), 0);
}
