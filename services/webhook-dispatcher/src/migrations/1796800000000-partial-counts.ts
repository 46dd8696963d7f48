// A replay says whether all of what it goes over was counted.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class PartialCounts1796800000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE replays ADD total_is_partial boolean NOT NULL DEFAULT false');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE replays DROP total_is_partial');
  }
}
