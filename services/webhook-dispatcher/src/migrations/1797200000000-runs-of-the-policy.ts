// A replayed delivery gets a fresh run of its retry policy, whose waits are counted from its beginning.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class RunsOfThePolicy1797200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Null, which takes no room in a row, for what was never replayed.
    await runner.query('ALTER TABLE deliveries ADD attempts_before_run integer');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE deliveries DROP attempts_before_run');
  }
}
