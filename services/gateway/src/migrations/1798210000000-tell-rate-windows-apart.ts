// How long each window of a rate limit is, so that one of another length can be told from the one before.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class TellRateWindowsApart1798210000000 implements MigrationInterface {
  /** What gateways of the version before write meanwhile is taken for the usual minute. No row is rewritten. */
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE rate_windows ADD window_seconds integer NOT NULL DEFAULT 60');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE rate_windows DROP window_seconds');
  }
}
