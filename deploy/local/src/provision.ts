/**
 * Gives each service its role and its schema in one database. Repeatable: what is there already is left as it is, apart
 * from the passwords, which become the given ones.
 */
import pg from 'pg';

export const serviceNames = ['gateway', 'key-management', 'reporting', 'webhook-dispatcher'] as const;
export type ServiceName = (typeof serviceNames)[number];

/** Any fixed number serves, as long as nothing else locks on it. */
const lockKey = 7_239_104_451;
const { escapeIdentifier, escapeLiteral } = pg;

/**
 * Returns the URL that each service connects with. Roles belong to the whole cluster and are shared by its databases, so
 * every call on one cluster should bring the same passwords.
 */
export async function provision(adminUrl: string, passwords: Record<ServiceName, string>): Promise<Record<ServiceName, string>> {
  await alone(adminUrl, () =>
    connected(adminUrl, async (client) => {
      await closeToOthers(client);
      for (const service of serviceNames) await provisionService(client, service, passwords[service]);
    }),
  );
  const urls = serviceNames.map((service) => [service, urlOf(adminUrl, { user: roleOf(service), password: passwords[service] })]);
  return Object.fromEntries(urls) as Record<ServiceName, string>;
}

/** Makes sure of a database, and returns the URL of it for the same user. */
export async function ensureDatabase(adminUrl: string, name: string): Promise<string> {
  await alone(adminUrl, () =>
    connected(adminUrl, async (client) => {
      const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
      if (rowCount === 0) await client.query(`CREATE DATABASE ${escapeIdentifier(name)}`);
    }),
  );
  return urlOf(adminUrl, { database: name });
}

async function closeToOthers(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>('SELECT current_database() AS name');
  await client.query(`REVOKE ALL ON DATABASE ${escapeIdentifier(rows[0]?.name ?? '')} FROM PUBLIC`);
  await client.query('REVOKE ALL ON SCHEMA public FROM PUBLIC');
}

async function provisionService(client: pg.Client, service: ServiceName, password: string): Promise<void> {
  const role = escapeIdentifier(roleOf(service));
  const schema = escapeIdentifier(schemaOf(service));
  const { rows } = await client.query<{ exists: boolean; superuser: boolean; database: string }>(
    `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS exists, current_database() AS database,
            (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser`,
    [roleOf(service)],
  );
  const { exists, superuser, database } = rows[0] ?? { exists: false, superuser: false, database: '' };
  if (!exists) await client.query(`CREATE ROLE ${role} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS`);
  await client.query(`ALTER ROLE ${role} LOGIN PASSWORD ${escapeLiteral(password)}`);
  await client.query(`ALTER ROLE ${role} SET search_path = ${schema}`);
  // Only a member of a role may make schemas for it; a superuser counts as one.
  if (!superuser) await client.query(`GRANT ${role} TO CURRENT_USER`);
  await client.query(`GRANT CONNECT, TEMP ON DATABASE ${escapeIdentifier(database)} TO ${role}`);
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema} AUTHORIZATION ${role}`);
}

/**
 * One caller at a time in the whole cluster: two that alter one role at once fail with "tuple concurrently updated".
 * Advisory locks hold within one database only, so all callers lock in `postgres`, which every cluster has.
 */
async function alone(adminUrl: string, work: () => Promise<void>): Promise<void> {
  await connected(urlOf(adminUrl, { database: 'postgres' }), async (client) => {
    await client.query('SELECT pg_advisory_lock($1)', [lockKey]);
    await work();
  });
}

async function connected(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  // The query in progress rejects when the server goes away; the event as well would end this process.
  client.on('error', () => {});
  await client.connect().catch((error: unknown) => {
    throw new Error(`PostgreSQL at ${client.host}:${client.port} refused the connection: ${reasonOf(error)}`, { cause: error });
  });
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

/** A name with several addresses fails once per address, with an error around them that says nothing. */
function reasonOf(error: unknown): string {
  return error instanceof AggregateError ? error.errors.map(String).join(', ') : (error as Error).message;
}

function urlOf(adminUrl: string, { user, password, database }: { user?: string; password?: string; database?: string }): string {
  const url = new URL(adminUrl);
  if (user !== undefined) url.username = user;
  if (password !== undefined) url.password = password;
  if (database !== undefined) url.pathname = `/${database}`;
  return url.href;
}

function schemaOf(service: ServiceName): string {
  return service.replaceAll('-', '_');
}

function roleOf(service: ServiceName): string {
  return `na_${schemaOf(service)}`;
}
