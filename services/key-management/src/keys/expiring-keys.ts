// Tells owners ahead of time that a key will end. Every replica runs the loop; each warning is one row's, told by whoever gets
// the row, in the transaction that sets the row's next warning: exactly once for each key, expiry and number of days.
import { appendToOutbox, type OutboxRelay } from '@na/outbox';
import { acrossWorkspaces, type Host } from '@na/service-host';
import type { DataSource, EntityManager } from 'typeorm';
import { ApiKey } from './api-key.entity.js';
import { nextWarningAt } from './expiry-warnings.js';
import { expiringEvent } from './key-messages.js';
import { updateKey } from './key-store.js';

const batchSize = 100;

/** How late a warning may be that is days ahead. */
const pollMs = 60_000;

export class ExpiringKeys {
  private readonly stopped = new AbortController();
  private work: Promise<void> = Promise.resolve();

  private constructor(
    private readonly database: DataSource,
    private readonly relay: OutboxRelay,
    private readonly warningDays: readonly number[],
    private readonly host: Host,
  ) {}

  static start(database: DataSource, relay: OutboxRelay, warningDays: readonly number[], host: Host): void {
    const loop = new ExpiringKeys(database, relay, warningDays, host);
    loop.work = loop.run();
    host.onStop('warnings of expiry', () => loop.stop());
  }

  private async stop(): Promise<void> {
    this.stopped.abort();
    await this.work;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopped;
    while (!signal.aborted) {
      const found = await this.warnBatch().catch((error: unknown) => this.host.logger.warn({ err: error }, 'owners could not be warned'));
      if (found !== batchSize) await this.host.clock.wait(pollMs, signal);
    }
  }

  /** @returns how many were due */
  private async warnBatch(): Promise<number> {
    const count = await acrossWorkspaces(this.database, (tx) => this.warnDue(tx, this.host.clock.now()));
    if (count > 0) this.relay.wake();
    return count;
  }

  /** A key that ended before anyone could tell has its warning dropped; one that is switched off keeps it for later. */
  private async warnDue(tx: EntityManager, now: Date): Promise<number> {
    const keys = await tx
      .createQueryBuilder(ApiKey, 'key')
      .where('key.next_warning_at <= :now AND key.revoked_at IS NULL AND key.disabled_at IS NULL', { now })
      .orderBy('key.next_warning_at')
      .limit(batchSize)
      .setLock('for_no_key_update')
      .setOnLocked('skip_locked')
      .getMany();
    await appendToOutbox(tx, keys.filter(({ expiresAt }) => expiresAt! > now).map((key) => expiringEvent(key, now)));
    for (const key of keys) await updateKey(tx, key, { nextWarningAt: nextWarningAt(key.expiresAt, this.warningDays, now) });
    return keys.length;
  }
}
