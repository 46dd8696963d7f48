// Opens a service's own schema through TypeORM and brings it up to date.
import pg from 'pg';
import { DataSource, QueryFailedError, type DataSourceOptions } from 'typeorm';
import type { Host } from './run-service.js';
import { seeEveryWorkspace } from './workspace-scope.js';

export interface DatabaseOptions {
  databaseUrl: string;
  databasePoolSize: number;
  /** The schema that the service's role owns. */
  schema: string;
  entities: NonNullable<DataSourceOptions['entities']>;
  migrations: NonNullable<DataSourceOptions['migrations']>;
  /** How many idle connections are kept for longer than 10 s, and for how long any is: none and for ever, unless told. */
  kept?: { min: number; maxLifetimeSeconds: number };
  /** false for a service that goes on answering without its database: it is then ready all the same. */
  isEssential?: boolean;
}

/** So that no database that hangs, and no path to it that swallows packets, holds a caller or a consumer for ever. */
const limits = { connectionTimeoutMillis: 5_000, keepAlive: true, keepAliveInitialDelayMillis: 10_000, statement_timeout: 60_000 };

/**
 * Connects, applies pending migrations and registers the closing. Replicas that start at once take turns: each holds an
 * advisory lock while it migrates.
 */
export async function openDatabase(options: DatabaseOptions, host: Host): Promise<DataSource> {
  await migrateInTurn(options, host);
  return openPool(options, { ...limits, ...options.kept }, host);
}

/**
 * A second pool for statements across workspaces, which are many and stand alone: they need no transaction to set a scope
 * in. Never hand it to what answers for one workspace. The database is open already.
 * @param settings `SET` statements for each connection
 */
export function openAcrossWorkspaces(options: DatabaseOptions, host: Host, settings = ''): Promise<DataSource> {
  return openPool(options, { ...limits, ...atConnect(`${seeEveryWorkspace}; ${settings}`) }, host);
}

function atConnect(settings: string) {
  return { onConnect: (client: pg.Client) => client.query(settings) };
}

async function openPool(options: DatabaseOptions, extra: object, host: Host): Promise<DataSource> {
  const database = await new DataSource({ ...settingsOf(options, host), extra }).initialize();
  host.onStop('database', () => database.destroy());
  if (options.isEssential ?? true) host.addReadinessCheck({ name: 'database', check: () => database.query('SELECT 1') });
  return database;
}

function settingsOf(options: DatabaseOptions, host: Host): DataSourceOptions {
  return {
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
}

/**
 * A migration may take its time and concerns all rows: its connections are its own, without limits of either kind. Only for a
 * lock on a table it waits no longer than a moment, since whoever comes after would wait behind it: then it is tried again.
 */
async function migrateInTurn(options: DatabaseOptions, host: Host): Promise<void> {
  const turn = new pg.Client({ connectionString: options.databaseUrl });
  await turn.connect();
  try {
    await turn.query(`SELECT pg_advisory_lock(hashtext('migrations'), hashtext(current_user))`);
    const extra = atConnect(`${seeEveryWorkspace}; SET lock_timeout = '2s'`);
    const database = await new DataSource({ ...settingsOf(options, host), extra }).initialize();
    await migrate(database, host).finally(() => database.destroy());
  } finally {
    await turn.end();
  }
}

const migrationTries = 30;
const lockNotAvailable = '55P03';

async function migrate(database: DataSource, host: Host): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await database.runMigrations({ transaction: 'each' });
      return;
    } catch (error) {
      const isLocked = error instanceof QueryFailedError && (error.driverError as { code?: string }).code === lockNotAvailable;
      if (!isLocked || tries === migrationTries) throw error;
      host.logger.warn({ err: error }, 'a table is in use by others for longer than a migration waits; trying again');
      await host.clock.wait(1_000);
    }
  }
}
