// What has been taken of each key's rate limit, one row per key and window.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateRateWindows1798000000000 implements MigrationInterface {
  /**
   * Unlogged: a count is worth no write-ahead log. A crash of PostgreSQL empties the table, so that a window that it falls
   * into may be used once more. Room in each page keeps updates within it (HOT): no index moves, and little is left to vacuum.
   */
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE UNLOGGED TABLE rate_windows (
        key_id text COLLATE "C" NOT NULL,
        ends_at timestamptz(3) NOT NULL,
        quota integer NOT NULL,
        taken integer NOT NULL,
        share integer NOT NULL,
        PRIMARY KEY (key_id, ends_at)
      ) WITH (fillfactor = 50)`);
    await runner.query('CREATE INDEX rate_windows_ends_at ON rate_windows (ends_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE rate_windows');
  }
}
