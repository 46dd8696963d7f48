// A database of a test file's own, cloned from the run's template in a few dozen milliseconds.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { provision, type ServiceName } from '@na/local-stack';
import { templateName, testPasswords } from './jest/template.mjs';

export interface TestDatabase {
  /** Superuser, for looking and for breaking things. */
  adminUrl: string;
  /** What each service connects with. */
  urls: Record<ServiceName, string>;
  drop(): Promise<void>;
}

export async function createTestDatabase(): Promise<TestDatabase> {
  const server = process.env.NA_TEST_POSTGRES;
  if (!server) throw new Error('Tests run through the root Jest configuration, whose set-up starts PostgreSQL.');
  const name = `test_${randomBytes(6).toString('hex')}`;
  await administer(server, `CREATE DATABASE ${name} TEMPLATE ${templateName}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    adminUrl: url.href,
    urls: await provision(url.href, testPasswords),
    drop: () => administer(server, `DROP DATABASE ${name} WITH (FORCE)`),
  };
}

async function administer(serverUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
