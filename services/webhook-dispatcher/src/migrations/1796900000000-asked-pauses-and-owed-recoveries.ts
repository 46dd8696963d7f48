// An endpoint keeps the pause it has asked for, since when it missed events before it was last enabled, and whether its owners are
// still to be told of its recovery.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AskedPausesAndOwedRecoveries1796900000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE endpoints
      ADD paused_until timestamptz(3), ADD missed_since timestamptz(3), ADD told_since timestamptz(3), ADD failed_before integer NOT NULL DEFAULT 0`);
    await runner.query('UPDATE endpoints SET told_since = failing_since WHERE warnings > 0 OR disabled_at IS NOT NULL');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE endpoints DROP paused_until, DROP missed_since, DROP told_since, DROP failed_before');
  }
}
