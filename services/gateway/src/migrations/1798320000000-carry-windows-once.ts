// What each window has given is counted once in windows of another length, and windows of two lengths are always two rows.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CarryWindowsOnce1798320000000 implements MigrationInterface {
  /**
   * `carried`: by the length of other windows, in seconds, how much of `taken` has been counted there. Gateways of the version
   * before can't reserve any more: until they are replaced each counts for itself, as when the database is away.
   */
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE rate_windows ADD carried jsonb NOT NULL DEFAULT '{}'`);
    await runner.query('ALTER TABLE rate_windows DROP CONSTRAINT rate_windows_pkey, ADD PRIMARY KEY (key_id, ends_at, window_seconds)');
  }

  /** Counts are worth nothing after their window: those that the narrower key has no room for go with the others. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('TRUNCATE rate_windows');
    await runner.query('ALTER TABLE rate_windows DROP CONSTRAINT rate_windows_pkey, ADD PRIMARY KEY (key_id, ends_at)');
    await runner.query('ALTER TABLE rate_windows DROP carried');
  }
}
