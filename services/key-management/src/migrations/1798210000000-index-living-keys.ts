// What is counted before a workspace gets one key more, however many it has had.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class IndexLivingKeys1798210000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX keys_living ON keys (workspace_id, expires_at) WHERE revoked_at IS NULL');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX keys_living');
  }
}
