// Deliveries are found by any filter through their groups: see deliveries/delivery-groups.ts.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class DeliveriesInGroups1796400000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const group = 'status, event_type, (coalesce(response_code, 0)), event_at DESC';
    await runner.query(`CREATE INDEX deliveries_of_workspace_in_groups ON deliveries (workspace_id, ${group})`);
    await runner.query(`CREATE INDEX deliveries_of_endpoint_in_groups ON deliveries (endpoint_id, ${group})`);
    await runner.query('DROP INDEX deliveries_of_workspace, deliveries_of_endpoint');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX deliveries_of_workspace ON deliveries (workspace_id, event_at DESC, id DESC)`);
    await runner.query(`CREATE INDEX deliveries_of_endpoint ON deliveries (endpoint_id, event_at DESC, id DESC)`);
    await runner.query('DROP INDEX deliveries_of_workspace_in_groups, deliveries_of_endpoint_in_groups');
  }
}
