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

/** So that no database that hangs, and no path to it that swallows packets, holds a caller or a consumer for ever. */
const limits = { connectionTimeoutMillis: 5_000, keepAlive: true, keepAliveInitialDelayMillis: 10_000, statement_timeout: 60_000 };

/**
 * Connects, applies pending migrations and registers the closing. Replicas that start at once take turns: each holds an
 * advisory lock while it migrates.
 */
export async function openDatabase(options: DatabaseOptions, host: Host): Promise<DataSource> {
  const settings: DataSourceOptions = {
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
  };
  await migrateInTurn(settings, options.databaseUrl);
  const database = await new DataSource({ ...settings, extra: limits }).initialize();
  host.onStop('database', () => database.destroy());
  host.addReadinessCheck({ name: 'database', check: () => database.query('SELECT 1') });
  return database;
}

/** A migration may take its time: its connections are its own, without the time limit of a statement. */
async function migrateInTurn(settings: DataSourceOptions, databaseUrl: string): Promise<void> {
  const turn = new pg.Client({ connectionString: databaseUrl });
  await turn.connect();
  try {
    await turn.query(`SELECT pg_advisory_lock(hashtext('migrations'), hashtext(current_user))`);
    const database = await new DataSource(settings).initialize();
    await database.runMigrations({ transaction: 'each' }).finally(() => database.destroy());
  } finally {
    await turn.end();
  }
}
