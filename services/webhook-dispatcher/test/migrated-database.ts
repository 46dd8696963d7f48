// The dispatcher's schema without a dispatcher, as its loops see it: all workspaces.
import { seeEveryWorkspace } from '@na/service-host';
import type { TestDatabase } from '@na/testing';
import type pg from 'pg';
import { DataSource } from 'typeorm';
import { alongIndexes, migrations as all } from '../src/database.js';

/** @param migrations fewer than all, for the schema of an earlier version */
export async function migratedDatabase({ urls }: TestDatabase, migrations = all): Promise<DataSource> {
  const extra = { onConnect: (client: pg.Client) => client.query(`${seeEveryWorkspace}; ${alongIndexes}`) };
  const database = new DataSource({ type: 'postgres', url: urls['webhook-dispatcher'], schema: 'webhook_dispatcher', migrations, extra });
  await database.initialize();
  await database.runMigrations({ transaction: 'each' });
  return database;
}
