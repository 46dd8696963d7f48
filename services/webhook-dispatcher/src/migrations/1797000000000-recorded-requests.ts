// Attempts say where they were sent, and with what: the headers that can't be put together later (deliveries/request.ts). Null, which
// takes no room, for those made before; no row is rewritten, and writers wait for a moment.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class RecordedRequests1797000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE attempts ADD url text, ADD request_headers jsonb');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE attempts DROP url, DROP request_headers');
  }
}
