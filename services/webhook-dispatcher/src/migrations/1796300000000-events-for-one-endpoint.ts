// Test deliveries are of real events, in the log like any other, but for one endpoint: others have not missed them.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class EventsForOneEndpoint1796300000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE events ADD only_endpoint_id text COLLATE "C"`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE events DROP only_endpoint_id');
  }
}
