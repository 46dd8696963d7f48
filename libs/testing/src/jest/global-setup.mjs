// Once per run: a real PostgreSQL with a template database that has every service's role and schema. Test files clone the
// template; see test-bed.ts. Its guard deletes its folder, whatever becomes of this process.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDatabase, findNatsServer, provision, startPostgres } from '@na/local-stack';
import { templateName, testPasswords } from './template.mjs';

export default async function setup() {
  const folder = await mkdtemp(join(tmpdir(), 'na-test-'));
  // Before the workers ask for it all at once.
  await findNatsServer();
  const postgres = await startPostgres({ durable: false });
  await provision(await ensureDatabase(postgres.url, templateName), testPasswords);
  process.env.NA_TEST_FOLDER = folder;
  process.env.NA_TEST_POSTGRES = postgres.url;
  globalThis[Symbol.for('na.test.postgres')] = postgres;
}
