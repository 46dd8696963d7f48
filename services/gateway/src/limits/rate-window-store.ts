// Table rate_windows: what all gateways together have taken of each key's limit.
import type { DataSource } from 'typeorm';
import type { Window } from './rate-window.js';

/** What one reservation brought; a share of 0 when there was nothing left. */
export interface Share {
  share: number;
  /** What is left for further reservations. */
  unreserved: number;
}

interface Reserved extends Share {
  keyId: string;
  /** There are windows of another length that this one overlaps: the key's limit was changed in the middle of one. */
  hasOthers: boolean;
}

/** Of the same key and another length, and not over when `mine` began. Consecutive windows of one length are no others. */
const isOther = (mine: string) =>
  `o.key_id = ${mine}.key_id AND o.window_seconds <> ${mine}.window_seconds ` +
  `AND o.ends_at > ${mine}.ends_at - ${mine}.window_seconds * interval '1 second'`;

/** A sixteenth of what is left of `quota`, at least 1, and no more than there is. */
const shareOf = (quota: string, taken: string) => `greatest(0, least(${quota} - ${taken}, greatest(1, (${quota} - ${taken}) / 16)))`;

/**
 * What is counted of window `o` in the first window of another length, and in no later one: what it gave since it was last
 * counted in windows of that length.
 */
const carriedFrom = (mine: string) =>
  `ceil((o.taken - coalesce((o.carried ->> ${mine}.window_seconds::text)::int, 0)) * least(1, ${mine}.window_seconds::numeric / o.window_seconds))`;

/**
 * A share is large while there is much, so that few requests have to ask, and small towards the end, so that little lies unused
 * with one gateway while another refuses. A limit that was changed in the middle of a window counts at once. What was taken in
 * a window of another length is carried over, by `carriedFrom`: what that was told of by others is not, or it would come back
 * in each window after the one that it was taken in. Of a share that is taken in the old window at the very moment of the first
 * reservation in the new one, neither may see the other: then that share, a sixteenth of the limit at most, is not carried over.
 * Rows are taken in the order of their keys, so that two gateways can't wait for each other.
 */
const reserveShares = `
  INSERT INTO rate_windows AS r (key_id, ends_at, window_seconds, quota, share, taken)
  SELECT key_id, ends_at, window_seconds, quota, ${shareOf('quota', 'carried')}, carried + ${shareOf('quota', 'carried')}
  FROM (SELECT key_id, to_timestamp(ends_at_ms / 1000) AS ends_at, window_seconds, quota
        FROM unnest($1::text[], $2::float8[], $3::int[], $4::int[]) AS asked (key_id, ends_at_ms, window_seconds, quota)) AS a,
       LATERAL (SELECT coalesce(max(${carriedFrom('a')})::int, 0) AS carried FROM rate_windows AS o WHERE ${isOther('a')}) AS carried
  ORDER BY key_id, ends_at
  ON CONFLICT (key_id, ends_at, window_seconds) DO UPDATE SET
    quota = excluded.quota,
    share = ${shareOf('excluded.quota', '(r.taken + r.taken_elsewhere)')},
    taken = r.taken + ${shareOf('excluded.quota', '(r.taken + r.taken_elsewhere)')}
  RETURNING key_id AS "keyId", share, greatest(0, quota - taken - taken_elsewhere) AS unreserved, EXISTS (SELECT FROM rate_windows AS o WHERE ${isOther('r')}) AS "hasOthers"`;

/**
 * Otherwise a key that is changed back would find there what it has used up elsewhere since. What they gave themselves is
 * counted here by now: carried over, or told of just as here.
 */
const addToOthers = `
  UPDATE rate_windows AS o SET taken_elsewhere = o.taken_elsewhere + $1, carried = o.carried || jsonb_build_object(a.window_seconds::text, o.taken)
  FROM (SELECT $2::text AS key_id, to_timestamp($3::float8 / 1000) AS ends_at, $4::int AS window_seconds) AS a
  WHERE ${isOther('a')}`;

/** Rows of windows that have ended this long ago, in case the clocks of gateways differ. */
const keptAfterEndMs = 300_000;

export class RateWindowStore {
  constructor(private readonly database: DataSource) {}

  /** @param windows each of another key. @returns what was reserved, by key */
  async reserve(windows: Window[]): Promise<Map<string, Share>> {
    const columns = [
      windows.map(({ keyId }) => keyId),
      windows.map(({ endsAtMs }) => endsAtMs),
      windows.map(({ quota }) => quota.windowSeconds),
      windows.map(({ quota }) => quota.limit),
    ];
    const rows = await this.database.query<Reserved[]>(reserveShares, columns);
    const reserved = new Map(rows.map((row) => [row.keyId, row]));
    for (const window of windows) if (reserved.get(window.keyId)?.hasOthers) await this.countInOthers(window, reserved.get(window.keyId)!);
    return reserved;
  }

  /** Rows of one key at a time: no two gateways wait for each other. */
  private async countInOthers({ keyId, endsAtMs, quota }: Window, { share }: Share): Promise<void> {
    await this.database.query(addToOthers, [share, keyId, endsAtMs, quota.windowSeconds]);
  }

  async deleteOld(now: Date): Promise<void> {
    await this.database.query('DELETE FROM rate_windows WHERE ends_at < $1', [new Date(now.getTime() - keptAfterEndMs)]);
  }
}
