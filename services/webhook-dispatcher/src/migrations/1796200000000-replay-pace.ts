// Replays keep their rate whichever replica does the next batch, and an endpoint has one at a time.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ReplayPace1796200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE replays ADD next_batch_at timestamptz(3) NOT NULL DEFAULT now()`);
    await runner.query(`CREATE UNIQUE INDEX replays_one_running ON replays (endpoint_id) WHERE status = 'running'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX replays_one_running');
    await runner.query('ALTER TABLE replays DROP next_batch_at');
  }
}
