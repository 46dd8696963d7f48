// What became of requests with an Idempotency-Key.
import { enableRowSecurity } from '@na/service-host';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateIdempotencyRecords1798100000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE idempotency_records (
        workspace_id text COLLATE "C" NOT NULL,
        key text COLLATE "C" NOT NULL,
        fingerprint bytea NOT NULL,
        new_id text NOT NULL,
        claim uuid NOT NULL,
        claimed_at timestamptz(3),
        created_at timestamptz(3) NOT NULL,
        status smallint,
        headers jsonb,
        body text,
        PRIMARY KEY (workspace_id, key)
      )`);
    await runner.query('CREATE INDEX idempotency_records_by_age ON idempotency_records (created_at)');
    await enableRowSecurity(runner, ['idempotency_records']);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE idempotency_records');
  }
}
