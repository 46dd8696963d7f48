// Which tables row-level security was forgotten for, partitions included.
import type pg from 'pg';

/** @returns the tables of the schema that the role that owns them may read without a policy, in alphabetical order */
export async function tablesWithoutRowSecurity(sql: pg.Client, schema: string): Promise<string[]> {
  const { rows } = await sql.query<{ table: string }>(
    `SELECT relname AS "table" FROM pg_class
     WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p')
       AND NOT (relrowsecurity AND relforcerowsecurity AND EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid))
     ORDER BY relname`,
    [schema],
  );
  return rows.map(({ table }) => table);
}
