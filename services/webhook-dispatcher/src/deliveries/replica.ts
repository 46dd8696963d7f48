// Who holds a lease, and whether they still live. Each replica keeps a session lock in PostgreSQL for as long as it runs;
// when it dies, however suddenly, PostgreSQL frees the lock with its connection, and the others take over what it had at
// once. The lease's own end is the fallback for a connection that dies without a word.
import pg from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import type { Host } from '@na/service-host';
import type { DataSource } from 'typeorm';

/** First half of the advisory lock's key; the replica's number is the second. Any number that nothing else uses. */
const lockClass = 1_819_112_563;
const reconnectMs = 500;

export class Replica {
  private client?: pg.Client;
  private left = false;
  private known = new Set<number>();
  private hasTakenOver = false;

  private constructor(
    readonly number: number,
    private readonly databaseUrl: string,
    private readonly database: DataSource,
    private readonly host: Host,
  ) {}

  /** Gives this process a number of its own and holds the lock on it until the stop. */
  static async join(databaseUrl: string, database: DataSource, host: Host): Promise<Replica> {
    const [row] = await database.query<{ number: number }[]>(`SELECT nextval('replicas')::integer AS number`);
    const replica = new Replica(row!.number, databaseUrl, database, host);
    await replica.hold();
    host.onStop('replica', () => replica.leave());
    return replica;
  }

  /** Makes due at once what dead replicas have leased: at the first call, and whenever one has gone since the last. */
  async takeOver(now: Date): Promise<void> {
    const alive = await this.alive();
    const someoneHasGone = [...this.known].some((number) => !alive.has(number));
    if (!this.hasTakenOver || someoneHasGone) {
      await this.database.query(
        `UPDATE deliveries SET due_at = $1, leased_by = NULL WHERE due_at > $1 AND leased_by IS NOT NULL AND leased_by <> ALL($2::integer[])`,
        [now, [...alive]],
      );
    }
    this.hasTakenOver = true;
    this.known = alive;
  }

  private async alive(): Promise<Set<number>> {
    const rows = await this.database.query<{ number: number }[]>(
      `SELECT objid::bigint::integer AS number FROM pg_locks
       WHERE locktype = 'advisory' AND classid = $1::oid AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      [lockClass],
    );
    return new Set([this.number, ...rows.map(({ number }) => number)]);
  }

  private async hold(): Promise<void> {
    const client = new pg.Client({ connectionString: this.databaseUrl, application_name: `webhook-dispatcher replica ${this.number}`, keepAlive: true });
    client.on('error', () => undefined);
    client.on('end', () => void this.holdAgain());
    await client.connect();
    await client.query('SELECT pg_advisory_lock($1, $2)', [lockClass, this.number]);
    this.client = client;
  }

  /** Under the same number, so that what is in flight stays ours unless someone was quicker. */
  private async holdAgain(): Promise<void> {
    while (!this.left) {
      await delay(reconnectMs);
      try {
        return await this.hold();
      } catch (error) {
        this.host.logger.warn({ err: error }, 'the lock that shows this replica to be alive is lost; trying again');
      }
    }
  }

  private async leave(): Promise<void> {
    this.left = true;
    await this.client?.end();
  }
}
