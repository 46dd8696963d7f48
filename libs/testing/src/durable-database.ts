// A database on a PostgreSQL of a test file's own, for tests that kill it. What it has committed is on the disk, as in a
// deployment: the PostgreSQL that all tests share runs without that.
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureDatabase, provision, startPostgres, type PostgresServer } from '@na/local-stack';
import { testPasswords } from './jest/template.mjs';
import type { TestDatabase } from './test-database.js';

export class DurableDatabase implements TestDatabase {
  private constructor(
    private server: PostgresServer,
    private readonly folder: string,
    readonly adminUrl: string,
    readonly urls: TestDatabase['urls'],
  ) {}

  static async start(): Promise<DurableDatabase> {
    const folder = await mkdtemp(join(process.env.NA_TEST_FOLDER!, 'postgres-'));
    const server = await startPostgres({ dataDir: folder, durable: true });
    const adminUrl = await ensureDatabase(server.url, 'test');
    return new DurableDatabase(server, folder, adminUrl, await provision(adminUrl, testPasswords));
  }

  /** kill -9 of the postmaster and all its processes. */
  kill(): Promise<void> {
    return this.server.kill();
  }

  /** On the same folder and port. Resolves when it has recovered and takes connections. */
  async startAgain(): Promise<void> {
    this.server = await startPostgres({ dataDir: this.folder, port: this.server.port, durable: true });
  }

  drop(): Promise<void> {
    return this.server.stop();
  }
}
