// Who holds a lease, and whether they still live. Each replica keeps a session lock in PostgreSQL for as long as it runs;
// when it dies, however suddenly, PostgreSQL frees the lock with its connection, and the others take over what it had
// leased a few seconds later. The lease's own end is the fallback for a connection that dies without a word.
import pg from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import type { Host } from '@na/service-host';
import type { DataSource } from 'typeorm';

/** First half of the advisory lock's key; the replica's number is the second. Any number that nothing else uses. */
const lockClass = 1_819_112_563;

/**
 * How long a lock must be missing before its holder counts as dead. A restart of PostgreSQL frees all locks at once; by
 * then the living have theirs again.
 */
export const graceMs = 3_000;
const reconnectMs = 200;

/** A claim may come many times a second; who lives need not be asked as often. */
const lookEveryMs = 500;
const connectTimeoutMs = 2_000;

/** @param lockClass the parameter that is */
const livingReplicas = (lockClass: string) => `
  SELECT objid::bigint::integer AS number FROM pg_locks
  WHERE locktype = 'advisory' AND classid = ${lockClass}::oid AND objsubid = 2 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

export class Replica {
  private client?: pg.Client;
  private left = false;
  /** When the lock was lost, by the monotonic clock; undefined while it is held. */
  private lostAt?: number;
  private known = new Set<number>();
  /** Replicas that were there once and are not now, and since when, by the host's clock. */
  private readonly missing = new Map<number, number>();
  private readonly startedAt: number;
  private hasTakenOverAtStart = false;
  private lookedAt = -Infinity;

  private constructor(
    readonly number: number,
    private readonly databaseUrl: string,
    private readonly everywhere: DataSource,
    private readonly host: Host,
  ) {
    this.startedAt = host.clock.now().getTime();
  }

  /** Gives this process a number of its own and holds the lock on it until the stop. */
  static async join(databaseUrl: string, everywhere: DataSource, host: Host): Promise<Replica> {
    const [row] = await everywhere.query<{ number: number }[]>(`SELECT nextval('replicas')::integer AS number`);
    const replica = new Replica(row!.number, databaseUrl, everywhere, host);
    await replica.hold();
    host.onStop('replica', () => replica.leave());
    return replica;
  }

  /** How many replicas there are, this one included, as far as is known. */
  get count(): number {
    return Math.max(1, this.known.size);
  }

  /** Whether what this replica has leased is still its own: without the lock, others take it over after the grace. */
  get mayUseLeases(): boolean {
    return this.lostAt === undefined || performance.now() - this.lostAt < graceMs;
  }

  /** Makes due at once what dead replicas have leased: once after the start, and whenever one has been gone for the grace. */
  async takeOver(now: Date): Promise<void> {
    if (Math.abs(now.getTime() - this.lookedAt) < lookEveryMs) return;
    this.lookedAt = now.getTime();
    const alive = await this.living();
    const gone = this.noteMissing(alive, now.getTime());
    const isFirst = !this.hasTakenOverAtStart && now.getTime() - this.startedAt >= graceMs;
    if (!isFirst && gone.length === 0) return;
    // Asked again who lives, by the statement itself: what it sees leased was leased under a lock that was held by then.
    await this.everywhere.query(
      `UPDATE deliveries SET due_at = $1, leased_by = NULL
       WHERE due_at > $1 AND leased_by IS NOT NULL AND leased_by <> ALL($3::integer[]) AND leased_by NOT IN (${livingReplicas('$2')})`,
      [now, lockClass, [this.number, ...this.missing.keys()].filter((number) => !gone.includes(number))],
    );
    for (const number of gone) this.missing.delete(number);
    if (isFirst) this.hasTakenOverAtStart = true;
  }

  /** @returns those that have been missing for the grace */
  private noteMissing(alive: Set<number>, now: number): number[] {
    for (const number of this.known) if (!alive.has(number) && !this.missing.has(number)) this.missing.set(number, now);
    for (const number of alive) this.missing.delete(number);
    this.known = alive;
    return [...this.missing].filter(([, since]) => now - since >= graceMs).map(([number]) => number);
  }

  /** Numbers of all replicas that live, this one included. @throws what the database says */
  async living(): Promise<Set<number>> {
    const rows = await this.everywhere.query<{ number: number }[]>(livingReplicas('$1'), [lockClass]);
    return new Set([this.number, ...rows.map(({ number }) => number)]);
  }

  /** @throws Error when the database can't be reached or the lock is still held by the connection before */
  private async hold(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.databaseUrl,
      application_name: `webhook-dispatcher replica ${this.number}`,
      keepAlive: true,
      connectionTimeoutMillis: connectTimeoutMs,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS held', [lockClass, this.number]);
      if (!rows[0]?.held) throw new Error('PostgreSQL has not let go of the lost connection yet');
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    this.client = client;
    this.lostAt = undefined;
    // Only now, so that a failed try does not start a second loop.
    client.once('end', () => void this.holdAgain());
  }

  /** Under the same number, so that what is leased stays ours unless the grace is over. */
  private async holdAgain(): Promise<void> {
    this.lostAt = performance.now();
    while (!this.left) {
      try {
        return await this.hold();
      } catch (error) {
        this.host.logger.warn({ err: error }, 'the lock that shows this replica to be alive is lost; trying again');
        await delay(reconnectMs);
      }
    }
  }

  private async leave(): Promise<void> {
    this.left = true;
    await this.client?.end();
  }
}
