// An endpoint keeps when it was last enabled by hand: attempts from before say nothing of it as it is.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class EnabledSince1797300000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE endpoints ADD enabled_at timestamptz(3)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE endpoints DROP enabled_at');
  }
}
