// Rotations and retries by hand have names, so that a second try of one is known.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class RepeatedRequests1796650000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE endpoints ADD rotation_ids text[] NOT NULL DEFAULT '{}'`);
    // Null for nearly all, which takes no room in a row.
    await runner.query(`ALTER TABLE deliveries ADD retry_id text`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE deliveries DROP retry_id');
    await runner.query('ALTER TABLE endpoints DROP rotation_ids');
  }
}
