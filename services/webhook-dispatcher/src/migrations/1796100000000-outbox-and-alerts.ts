// The outbox, and alerts for the owners of endpoints with a queue for each workspace.
import { createOutboxTable } from '@na/outbox';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class OutboxAndAlerts1796100000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createOutboxTable(runner);

    // An alert has the id of the event that says the same. url and description are those of the moment. An alert with
    // neither time set is waiting.
    await runner.query(`
      CREATE TABLE alerts (
        workspace_id text COLLATE "C" NOT NULL,
        id text COLLATE "C" NOT NULL,
        endpoint_id text COLLATE "C" NOT NULL,
        url text NOT NULL,
        description text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('failing', 'disabled', 'recovered')),
        signal jsonb NOT NULL,
        created_at timestamptz(3) NOT NULL,
        sent_at timestamptz(3),
        given_up_at timestamptz(3),
        PRIMARY KEY (workspace_id, id)
      )`);

    // All that waits in a workspace goes into one mail, so trying and waiting are the queue's, not the alert's. due_at is
    // when the next mail may go, or the end of the lease of who is sending it, or null while nothing waits.
    await runner.query(`
      CREATE TABLE alert_queues (
        workspace_id text COLLATE "C" PRIMARY KEY,
        due_at timestamptz(3),
        tries integer NOT NULL DEFAULT 0,
        last_sent_at timestamptz(3)
      )`);
    await runner.query(`CREATE INDEX alert_queues_due ON alert_queues (due_at) WHERE due_at IS NOT NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE alert_queues, alerts, outbox');
  }
}
