// Everything that stands in a database, as text.
import pg from 'pg';

/** Every row of every table of every schema. Bytes are given in hex, and as characters of their own. */
export async function dumpDatabase(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ name: string }>(`
      SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
      WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`);
    const dumped: string[] = [];
    for (const { name } of tables) {
      const { rows } = await client.query<{ row: string }>(`SELECT t::text AS row FROM ${name} AS t`);
      dumped.push(...rows.map(({ row }) => `${name} ${row}${bytesIn(row)}`));
    }
    return dumped.join('\n');
  } finally {
    await client.end();
  }
}

function bytesIn(row: string): string {
  return [...row.matchAll(/\\x((?:[0-9a-f]{2})+)/g)].map(([, hex]) => Buffer.from(hex!, 'hex').toString('latin1')).join(' ');
}
