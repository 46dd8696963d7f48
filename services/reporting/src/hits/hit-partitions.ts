// Makes the monthly partitions of the hits table, before they are written to.
import { acrossWorkspaces, secureLike } from '@na/service-host';
import type { DataSource, EntityManager } from 'typeorm';
import type { HitRow } from './hit-row.js';
import { monthsAround, partitionOfHit, type MonthPartition } from './month-partition.js';

export class HitPartitions {
  /** Names of partitions known to exist; a process asks the database once for each. */
  private readonly known = new Set<string>();

  constructor(private readonly database: DataSource) {}

  async makeAround(moment: Date): Promise<void> {
    await this.make(monthsAround(moment));
  }

  async makeFor(hits: HitRow[]): Promise<void> {
    await this.make(hits.flatMap((hit) => partitionOfHit(hit) ?? []));
  }

  private async make(months: MonthPartition[]): Promise<void> {
    for (const month of months) {
      if (this.known.has(month.name)) continue;
      await acrossWorkspaces(this.database, (tx) => makePartition(tx, month));
      this.known.add(month.name);
    }
  }
}

/**
 * Attaches a table made beforehand: `CREATE TABLE … PARTITION OF` would lock all of hits against reading and writing.
 * Rows of the month that went to the default partition move along, because attaching fails while it holds any.
 */
async function makePartition(tx: EntityManager, { name, from, to }: MonthPartition): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('hit partitions'), hashtext(current_schema()))`);
  const [{ exists }] = await tx.query<[{ exists: boolean }]>('SELECT to_regclass($1) IS NOT NULL AS exists', [name]);
  if (exists) return;
  const [start, end] = [`'${from.toISOString()}'`, `'${to.toISOString()}'`];
  await tx.query(`CREATE TABLE ${name} (LIKE hits INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`);
  await secureLike(tx, name, 'hits');
  await tx.query('LOCK TABLE hits_default IN ACCESS EXCLUSIVE MODE');
  await tx.query(`
    WITH moved AS (DELETE FROM hits_default WHERE occurred_at >= ${start} AND occurred_at < ${end} RETURNING *)
    INSERT INTO ${name} SELECT * FROM moved`);
  await tx.query(`ALTER TABLE hits ATTACH PARTITION ${name} FOR VALUES FROM (${start}) TO (${end})`);
}
