// Events, deliveries and attempts are partitioned by the day of their event (UTC), so that old days can be dropped whole.
// Partitions are made ahead; what falls outside them goes to the default partition and is not lost.
import type { Clock, Host } from '@na/service-host';
import type { DataSource } from 'typeorm';

const tables = ['events', 'deliveries', 'attempts'];
const daysAhead = 7;
const dayMs = 86_400_000;
const checkEveryMs = 3_600_000;

/** Makes the partitions of today and the days ahead now, and keeps doing so. */
export async function keepPartitionsAhead(database: DataSource, host: Host): Promise<void> {
  await makePartitions(database, host.clock.now());
  const stopped = new AbortController();
  const work = repeat(host.clock, stopped.signal, () =>
    makePartitions(database, host.clock.now()).catch((error: unknown) => host.logger.error({ err: error }, 'partitions could not be made ahead')),
  );
  host.onStop('partitions', async () => {
    stopped.abort();
    await work;
  });
}

async function repeat(clock: Clock, stopped: AbortSignal, work: () => Promise<void>): Promise<void> {
  for (;;) {
    await clock.wait(checkEveryMs, stopped);
    if (stopped.aborted) return;
    await work();
  }
}

export async function makePartitions(database: DataSource, now: Date): Promise<void> {
  const today = Math.floor(now.getTime() / dayMs);
  for (let day = today - 1; day <= today + daysAhead; day++) {
    for (const table of tables) await makePartition(database, table, new Date(day * dayMs));
  }
}

/** Made on the side and attached afterwards: attaching takes a lock that lets readers and writers go on. */
async function makePartition(database: DataSource, table: string, from: Date): Promise<void> {
  const name = partitionName(table, from);
  await database.transaction(async (tx) => {
    const [existing] = await tx.query<{ found: string | null }[]>('SELECT to_regclass($1)::text AS found', [name]);
    if (existing?.found) return;
    await tx.query(`SELECT pg_advisory_xact_lock(hashtext('partitions'), hashtext($1))`, [name]);
    const [meanwhile] = await tx.query<{ found: string | null }[]>('SELECT to_regclass($1)::text AS found', [name]);
    if (meanwhile?.found) return;
    const until = new Date(from.getTime() + dayMs);
    await tx.query(`CREATE TABLE ${name} (LIKE ${table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`);
    await tx.query(`ALTER TABLE ${table} ATTACH PARTITION ${name} FOR VALUES FROM ('${from.toISOString()}') TO ('${until.toISOString()}')`);
  });
}

/** `deliveries_20260304`. */
export function partitionName(table: string, day: Date): string {
  return `${table}_${day.toISOString().slice(0, 10).replaceAll('-', '')}`;
}
