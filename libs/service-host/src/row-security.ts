// The policies of row-level security, for migrations and for whoever makes partitions. Whose rows a transaction may see is said
// by workspace-scope.ts.
//
// Two things of PostgreSQL to know: COPY FROM is refused on a secured table, and a partition that is named itself goes by its own
// policy alone.
import type { EntityManager } from 'typeorm';
import { everyWorkspace } from './workspace-scope.js';

/** What a migration and the transaction that makes a partition have in common. */
type Queries = Pick<EntityManager, 'query'>;

/** In a subquery the setting is read once per statement instead of once per row. Unset it is null or empty: no row. */
const scope = `(SELECT current_setting('na.workspace_id', true))`;

/**
 * For a migration. The service's role owns its tables, so the policy is forced on it too; foreign keys are checked past it.
 * Partitions that are there are secured along with their table; for later ones see `secureLike`. No row is read or written.
 * @param column that holds the id of the workspace
 */
export async function enableRowSecurity(tx: Queries, tables: string[], column = 'workspace_id'): Promise<void> {
  for (const table of tables) await secureWithPartitions(tx, table, `${scope} IN ('${everyWorkspace}', ${column})`);
}

/**
 * The same for a table that has no such column.
 * @param isOwn SQL that tells whether a row is of the transaction's workspace; work across workspaces does not evaluate it
 */
export async function enableRowSecurityBy(tx: Queries, table: string, isOwn: string): Promise<void> {
  await secureWithPartitions(tx, table, `${scope} = '${everyWorkspace}' OR ${isOwn}`);
}

/** Gives a new partition the policy of its table, if that has one. */
export async function secureLike(tx: Queries, partition: string, table: string): Promise<void> {
  const policies = await tx.query<{ condition: string }[]>('SELECT pg_get_expr(polqual, polrelid) AS condition FROM pg_policy WHERE polrelid = $1::regclass', [table]);
  for (const { condition } of policies) await secure(tx, partition, condition);
}

export async function disableRowSecurity(tx: Queries, tables: string[]): Promise<void> {
  for (const name of await withPartitions(tx, tables)) {
    await tx.query(`DROP POLICY own_workspace ON ${name}`);
    await tx.query(`ALTER TABLE ${name} DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY`);
  }
}

/**
 * As a comparison of numbers, of which PostgreSQL expects that nearly all rows pass: of the condition itself it expects that for one
 * row in a hundred, and would join large tables as if they were small.
 */
async function secureWithPartitions(tx: Queries, table: string, condition: string): Promise<void> {
  // The table first, so that no partition is attached while they are looked up.
  await tx.query(`LOCK TABLE ONLY ${table} IN ACCESS EXCLUSIVE MODE`);
  for (const name of await withPartitions(tx, [table])) await secure(tx, name, `(${condition})::integer <> 0`);
}

async function secure(tx: Queries, table: string, condition: string): Promise<void> {
  await tx.query(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`);
  await tx.query(`CREATE POLICY own_workspace ON ${table} USING (${condition})`);
}

async function withPartitions(tx: Queries, tables: string[]): Promise<string[]> {
  const rows = await tx.query<{ name: string }[]>(
    `SELECT DISTINCT relid::regclass::text AS name FROM unnest($1::regclass[]) AS wanted (id)
     CROSS JOIN LATERAL (SELECT wanted.id AS relid UNION SELECT relid FROM pg_partition_tree(wanted.id)) AS tree`,
    [tables],
  );
  return rows.map(({ name }) => name);
}
