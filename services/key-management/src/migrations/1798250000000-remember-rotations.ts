// Rotations have names, so that a second try of one is known.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class RememberRotations1798250000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE keys ADD rotation_ids text[] NOT NULL DEFAULT '{}'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE keys DROP rotation_ids');
  }
}
