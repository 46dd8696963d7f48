// Whose rows a transaction may see: row-level security of PostgreSQL behind the filters of the code. A statement that forgets
// its filter finds the rows of its own workspace, and without a scope none at all. Which scope a caller has is not decided here.
// The scope is a setting of the transaction, so that a connection goes back to its pool without one. The policies that go by it
// are made by row-security.ts.
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';

type Work<T> = (tx: EntityManager) => Promise<T>;

/** Value of the setting for work that is of no one workspace: loops, verdicts, the operator. No id reads like it. */
export const everyWorkspace = '*';

/** The id stands in the text of a statement: nothing but these characters may. */
const idForm = /^\w{1,64}$/;

/**
 * One transaction that sees and writes the rows of one workspace.
 * @throws Error for what is no id, before anything is sent
 */
export async function inWorkspace<T>(database: DataSource, workspaceId: string, work: Work<T>): Promise<T> {
  if (!idForm.test(workspaceId)) throw new Error('A transaction must name its workspace.');
  return inScope(database, workspaceId, work);
}

/** One transaction that sees the rows of all workspaces. For single statements that are many, see `openAcrossWorkspaces`. */
export function acrossWorkspaces<T>(database: DataSource, work: Work<T>): Promise<T> {
  return inScope(database, everyWorkspace, work);
}

/** For the connections of a pool that only work across workspaces uses. */
export const seeEveryWorkspace = `SET na.workspace_id = '${everyWorkspace}'`;

async function inScope<T>(database: DataSource, scope: string, work: Work<T>): Promise<T> {
  const runner = database.createQueryRunner();
  setScopeAtStart(runner, scope);
  try {
    return await runner.manager.transaction(work);
  } finally {
    await runner.release();
  }
}

/**
 * The setting travels with the statement that TypeORM opens the transaction with, so that the scope costs no round trip. Were
 * that statement to read differently one day, nothing would be set and no row seen.
 */
function setScopeAtStart(runner: QueryRunner, scope: string): void {
  const query = runner.query.bind(runner) as (sql: string, ...rest: unknown[]) => Promise<unknown>;
  runner.query = ((sql: string, ...rest: unknown[]) =>
    query(sql === 'START TRANSACTION' ? `${sql}; SET LOCAL na.workspace_id = '${scope}'` : sql, ...rest)) as QueryRunner['query'];
}
