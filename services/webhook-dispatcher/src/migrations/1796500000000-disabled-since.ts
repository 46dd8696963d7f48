// A disabled endpoint says since when: what happened before is owed to it, what happened since is missed.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class DisabledSince1796500000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`UPDATE endpoints SET disabled_at = CASE WHEN status = 'disabled' THEN now() END
      WHERE (status = 'disabled') <> (disabled_at IS NOT NULL)`);
    await runner.query(`ALTER TABLE endpoints ADD CONSTRAINT endpoints_disabled_since
      CHECK ((status = 'disabled') = (disabled_at IS NOT NULL))`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE endpoints DROP CONSTRAINT endpoints_disabled_since');
  }
}
