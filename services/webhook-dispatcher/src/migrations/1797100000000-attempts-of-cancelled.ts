// Counts what cancelled deliveries were in the middle of: an attempt in flight when its delivery was cancelled used to be logged only.
// Reads the deliveries once, and the attempts too where many are cancelled: seconds for millions, a minute for tens of millions. The rows
// that it writes are at rest; whoever is cancelled or retried meanwhile waits for it.
import { everyWorkspace } from '@na/service-host';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AttemptsOfCancelled1797100000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SELECT set_config('na.workspace_id', $1, true)`, [everyWorkspace]);
    await runner.query(`
      UPDATE deliveries d SET attempts = a.number, response_code = a.response_code, error = a.error, last_attempt_at = a.started_at
      FROM attempts a
      WHERE d.status = 'cancelled' AND a.delivery_id = d.id AND a.event_at = d.event_at AND a.number = d.attempts + 1`);
  }

  /** Nothing says any more which were not counted, and none would be the better for it. */
  down(): Promise<void> {
    return Promise.resolve();
  }
}
