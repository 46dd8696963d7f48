// Table rate_windows: what all gateways together have taken of each key's limit.
import type { DataSource } from 'typeorm';
import type { Window } from './rate-window.js';

/** What one reservation brought; a share of 0 when there was nothing left. */
export interface Share {
  share: number;
  /** What is left for further reservations. */
  unreserved: number;
}

/**
 * A share is a sixteenth of what is left, at least 1: large while there is much, so that few requests have to ask, and small
 * towards the end, so that little lies unused with one gateway while another refuses. A limit that was changed in the middle
 * of a window counts at once. Rows are taken in the order of their keys, so that two gateways can't wait for each other.
 */
const reserveShares = `
  INSERT INTO rate_windows AS r (key_id, ends_at, quota, share, taken)
  SELECT key_id, to_timestamp(ends_at_ms / 1000), quota, greatest(1, quota / 16), greatest(1, quota / 16)
  FROM unnest($1::text[], $2::float8[], $3::int[]) AS asked (key_id, ends_at_ms, quota)
  ORDER BY key_id, ends_at_ms
  ON CONFLICT (key_id, ends_at) DO UPDATE SET
    quota = excluded.quota,
    share = greatest(0, least(excluded.quota - r.taken, greatest(1, (excluded.quota - r.taken) / 16))),
    taken = r.taken + greatest(0, least(excluded.quota - r.taken, greatest(1, (excluded.quota - r.taken) / 16)))
  RETURNING key_id, share, greatest(0, quota - taken) AS unreserved`;

/** Rows of windows that have ended this long ago, in case the clocks of gateways differ. */
const keptAfterEndMs = 300_000;

export class RateWindowStore {
  constructor(private readonly database: DataSource) {}

  /** @param windows each of another key. @returns what was reserved, by key */
  async reserve(windows: Window[]): Promise<Map<string, Share>> {
    const columns = [windows.map(({ keyId }) => keyId), windows.map(({ endsAtMs }) => endsAtMs), windows.map(({ quota }) => quota.limit)];
    const rows = await this.database.query<({ key_id: string } & Share)[]>(reserveShares, columns);
    return new Map(rows.map(({ key_id, share, unreserved }) => [key_id, { share, unreserved }]));
  }

  async deleteOld(now: Date): Promise<void> {
    await this.database.query('DELETE FROM rate_windows WHERE ends_at < $1', [new Date(now.getTime() - keptAfterEndMs)]);
  }
}
