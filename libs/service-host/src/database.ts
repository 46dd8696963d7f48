// Opens a service's own schema through TypeORM and brings it up to date.
import pg from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { Host } from './run-service.js';

export interface DatabaseOptions {
  databaseUrl: string;
  databasePoolSize: number;
  /** The schema that the service's role owns. */
  schema: string;
  entities: NonNullable<DataSourceOptions['entities']>;
  migrations: NonNullable<DataSourceOptions['migrations']>;
}

/**
 * Connects, applies pending migrations and registers the closing. Replicas that start at once take turns: each holds an
 * advisory lock while it migrates.
 */
export async function openDatabase(options: DatabaseOptions, host: Host): Promise<DataSource> {
  const database = new DataSource({
    type: 'postgres',
    url: options.databaseUrl,
    schema: options.schema,
    poolSize: options.databasePoolSize,
    applicationName: host.name,
    entities: options.entities,
    migrations: options.migrations,
    migrationsTableName: 'migrations',
    // pg reports a lost idle connection on the pool; without a listener the process would die of it.
    poolErrorHandler: (error) => host.logger.warn({ err: error }, 'a database connection was lost'),
  });
  await migrateInTurn(database, options.databaseUrl);
  host.onStop('database', () => database.destroy());
  host.addReadinessCheck({ name: 'database', check: () => database.query('SELECT 1') });
  return database;
}

async function migrateInTurn(database: DataSource, databaseUrl: string): Promise<void> {
  const turn = new pg.Client({ connectionString: databaseUrl });
  await turn.connect();
  try {
    await turn.query(`SELECT pg_advisory_lock(hashtext('migrations'), hashtext(current_user))`);
    await database.initialize();
    await database.runMigrations({ transaction: 'each' });
  } finally {
    await turn.end();
  }
}
