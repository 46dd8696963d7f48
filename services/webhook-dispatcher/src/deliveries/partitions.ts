// Events, deliveries and attempts are partitioned by the day of their event (UTC), so that old days can be dropped whole.
// Partitions are made ahead; what falls outside them goes to the default partition and is not lost.
import { secureLike, type Clock, type Host } from '@na/service-host';
import type { DataSource, EntityManager } from 'typeorm';
import { dropOldDays } from './retention.js';

const tables = ['events', 'deliveries', 'attempts'] as const;
const daysAhead = 7;
export const dayMs = 86_400_000;
const checkEveryMs = 3_600_000;

/**
 * Making and dropping a partition need the default one to themselves for a moment. Whoever writes meanwhile queues behind
 * that wish for no longer than this, whatever long transaction it waits for; it is tried again an hour later, days before
 * it matters.
 */
export const giveWay = `SET LOCAL lock_timeout = '200ms'`;

/**
 * Makes the partitions of today and the days ahead now, drops those that are over, and keeps doing so.
 * @param everywhere see `openAcrossWorkspaces`: rows of all workspaces move and go
 * @param changed run whenever partitions may have come or gone, which has all plans made anew
 */
export async function keepPartitions(everywhere: DataSource, host: Host, retentionDays: number, changed: () => Promise<void>): Promise<void> {
  // Without a partition of its own a day's rows go to the default one, so a failure here must not keep the service down.
  const make = () => makePartitions(everywhere, host.clock.now()).catch((error: unknown) => host.logger.error({ err: error }, 'partitions could not be made ahead'));
  const drop = () => dropOldDays(everywhere, host.clock.now(), retentionDays).catch((error: unknown) => host.logger.warn({ err: error }, 'old days could not be dropped; trying again later'));
  await make();
  await changed();
  const stopped = new AbortController();
  const work = repeat(host.clock, stopped.signal, async () => {
    await make();
    await drop();
    await changed();
  });
  host.onStop('partitions', async () => {
    stopped.abort();
    await work;
  });
}

async function repeat(clock: Clock, stopped: AbortSignal, work: () => Promise<unknown>): Promise<void> {
  for (;;) {
    await clock.wait(checkEveryMs, stopped);
    if (stopped.aborted) return;
    await work();
  }
}

/** @throws AggregateError of all that failed, after trying each */
export async function makePartitions(database: DataSource, now: Date): Promise<void> {
  const today = Math.floor(now.getTime() / dayMs);
  const failures: unknown[] = [];
  for (let day = today - 1; day <= today + daysAhead; day++) {
    for (const table of tables) await makePartition(database, table, new Date(day * dayMs)).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw new AggregateError(failures, 'some partitions could not be made');
}

/**
 * Made on the side and attached afterwards, which lets readers and writers of the other partitions go on. Rows of the day
 * that are in the default partition already move along: PostgreSQL refuses to attach otherwise.
 */
async function makePartition(database: DataSource, table: string, from: Date): Promise<void> {
  const name = partitionName(table, from);
  if (await exists(database.manager, name)) return;
  await database.transaction(async (tx) => {
    await takeTurn(tx, name);
    if (await exists(tx, name)) return;
    // Not before: the turn among replicas may be waited for.
    await tx.query(giveWay);
    const [since, until] = [from.toISOString(), new Date(from.getTime() + dayMs).toISOString()];
    await tx.query(`CREATE TABLE ${name} (LIKE ${table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`);
    await secureLike(tx, name, table);
    await tx.query(
      `WITH moved AS (DELETE FROM ${table}_default WHERE event_at >= '${since}' AND event_at < '${until}' RETURNING *)
       INSERT INTO ${name} SELECT * FROM moved`,
    );
    await tx.query(`ALTER TABLE ${table} ATTACH PARTITION ${name} FOR VALUES FROM ('${since}') TO ('${until}')`);
  });
}

/** One replica at a time makes or drops a partition; the others find it done. */
export async function takeTurn(tx: EntityManager, partition: string): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('partitions'), hashtext($1))`, [partition]);
}

/** Asks the catalogue as a table: to_regclass answers from a cache that may not know yet what another has just committed. */
export async function exists(tx: EntityManager, table: string): Promise<boolean> {
  const rows = await tx.query<object[]>('SELECT 1 FROM pg_class WHERE relname = $1 AND relnamespace = current_schema()::regnamespace', [table]);
  return rows.length > 0;
}

/** `deliveries_20260304`. */
export function partitionName(table: string, day: Date): string {
  return `${table}_${day.toISOString().slice(0, 10).replaceAll('-', '')}`;
}

/** The day of `20260304`. */
export function dayOfPartition(day: string): Date {
  return new Date(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T00:00:00Z`);
}
