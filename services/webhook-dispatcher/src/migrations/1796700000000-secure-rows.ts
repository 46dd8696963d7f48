// Row-level security: a transaction sees the rows of the workspace it names, and no others. No row is read or written, but writers
// wait for a moment.
//
// An attempt has no workspace of its own: it is seen with its delivery. As a function, because a subquery in the policy would open
// every partition of deliveries for each batch of attempts that is recorded, which works across workspaces and never asks it.
//
// Outside: the outbox, whose messages are read by the relay alone, for all workspaces.
import { disableRowSecurity, enableRowSecurity, enableRowSecurityBy } from '@na/service-host';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const tables = ['endpoints', 'events', 'deliveries', 'replays', 'alerts', 'alert_queues'];

export class SecureRows1796700000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await enableRowSecurity(runner, tables);
    await runner.query(`
      CREATE FUNCTION sees_delivery(delivery_id text, delivery_event_at timestamptz) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
      BEGIN
        RETURN EXISTS (SELECT FROM deliveries WHERE id = delivery_id AND event_at = delivery_event_at);
      END $$`);
    await enableRowSecurityBy(runner, 'attempts', 'sees_delivery(delivery_id, event_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await disableRowSecurity(runner, ['attempts', ...tables]);
    await runner.query('DROP FUNCTION sees_delivery');
  }
}
