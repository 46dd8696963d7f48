// What a key has taken in windows of another length, apart from what it has taken in a window itself.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CountElsewhereApart1798310000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE rate_windows ADD taken_elsewhere integer NOT NULL DEFAULT 0');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE rate_windows DROP taken_elsewhere');
  }
}
