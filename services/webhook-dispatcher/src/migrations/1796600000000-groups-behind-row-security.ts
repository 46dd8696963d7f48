// The groups of deliveries by GREATEST, which passes over null, instead of coalesce: behind row-level security PostgreSQL uses an
// index only for what it knows to tell nothing of rows that are not seen, and of coalesce it does not know it.
//
// Each day's index in a transaction of its own: writers of that day wait, about a second for each 100,000 rows, the others do not.
// Interrupted, it goes on with the days that are left.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class GroupsBehindRowSecurity1796600000000 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    for (const owner of ['workspace', 'endpoint']) {
      const index = `deliveries_of_${owner}_by_group`;
      const columns = `(${owner}_id, status, event_type, (GREATEST(response_code, 0)), event_at DESC)`;
      await runner.query(`CREATE INDEX IF NOT EXISTS ${index} ON ONLY deliveries ${columns}`);
      for (const day of await daysWithout(runner, index)) {
        const ofDay = `${day}_of_${owner}_by_group`;
        await runner.query(`CREATE INDEX ${ofDay} ON ${day} ${columns}; ALTER INDEX ${index} ATTACH PARTITION ${ofDay}`);
      }
      await runner.query(`DROP INDEX IF EXISTS deliveries_of_${owner}_in_groups`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    const group = 'status, event_type, (coalesce(response_code, 0)), event_at DESC';
    await runner.query(`CREATE INDEX deliveries_of_workspace_in_groups ON deliveries (workspace_id, ${group})`);
    await runner.query(`CREATE INDEX deliveries_of_endpoint_in_groups ON deliveries (endpoint_id, ${group})`);
    await runner.query('DROP INDEX deliveries_of_workspace_by_group, deliveries_of_endpoint_by_group');
  }
}

async function daysWithout(runner: QueryRunner, index: string): Promise<string[]> {
  const rows = (await runner.query(
    `SELECT day.inhrelid::regclass::text AS name FROM pg_inherits day WHERE day.inhparent = 'deliveries'::regclass AND NOT EXISTS (
       SELECT FROM pg_index own JOIN pg_inherits attached ON attached.inhrelid = own.indexrelid
       WHERE own.indrelid = day.inhrelid AND attached.inhparent = $1::regclass
     )`,
    [index],
  )) as { name: string }[];
  return rows.map(({ name }) => name);
}
