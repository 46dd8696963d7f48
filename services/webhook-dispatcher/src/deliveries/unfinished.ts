// How many deliveries are unfinished, for metrics.
import type { DataSource } from 'typeorm';

type Unfinished = Record<'pending' | 'retrying', number>;

/** Counting ends here: enough to raise an alarm, and what it costs at most is known. */
const maxCounted = 100_000;

/**
 * Reads the partial index of what is unfinished: 2,000 among 1.4 million take 50 ms right after a backlog has been worked off,
 * 100,000 take 100. Reading the table instead took 700.
 * @returns 100,000 together at most
 */
export async function countUnfinished(everywhere: DataSource): Promise<Unfinished> {
  const rows = await everywhere.query<{ status: keyof Unfinished; count: number }[]>(
    `SELECT status, count(*)::integer AS count FROM (SELECT status FROM deliveries WHERE due_at IS NOT NULL LIMIT ${maxCounted}) AS d GROUP BY status`,
  );
  return { pending: 0, retrying: 0, ...Object.fromEntries(rows.map(({ status, count }) => [status, count])) };
}
