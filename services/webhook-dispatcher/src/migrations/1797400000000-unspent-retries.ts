// After how many attempts a retry by hand has added one: until it is made no further retry adds another.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class UnspentRetries1797400000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Null, which takes no room in a row, for what was never retried.
    await runner.query('ALTER TABLE deliveries ADD added_after integer');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE deliveries DROP added_after');
  }
}
