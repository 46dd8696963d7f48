// Where messages go that the bus refuses for good; new outboxes come with it.
import { createOutboxFailedTable } from '@na/outbox';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateOutboxFailed1797000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createOutboxFailedTable(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE outbox_failed');
  }
}
