// Workspaces, keys, the audit log, the outbox.
import { createOutboxTable } from '@na/outbox';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateTables1793000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE workspaces (
        id text COLLATE "C" PRIMARY KEY,
        name text NOT NULL,
        time_zone text NOT NULL,
        owner_emails text[] NOT NULL,
        created_at timestamptz(3) NOT NULL,
        suspended_at timestamptz(3)
      )`);
    await runner.query(`
      CREATE TABLE keys (
        workspace_id text COLLATE "C" NOT NULL REFERENCES workspaces,
        id text COLLATE "C" NOT NULL,
        name text NOT NULL,
        scopes text[] NOT NULL,
        last_four text NOT NULL,
        secret_mac bytea NOT NULL CHECK (octet_length(secret_mac) = 32),
        pepper_version integer NOT NULL,
        version integer NOT NULL,
        created_at timestamptz(3) NOT NULL,
        expires_at timestamptz(3),
        revoked_at timestamptz(3),
        PRIMARY KEY (workspace_id, id)
      )`);
    // A presented credential names its key, not its workspace.
    await runner.query('CREATE UNIQUE INDEX keys_id ON keys (id)');
    await runner.query(`
      CREATE TABLE audit_log (
        workspace_id text COLLATE "C" NOT NULL,
        id text COLLATE "C" NOT NULL,
        created_at timestamptz(3) NOT NULL,
        actor text NOT NULL,
        address text NOT NULL,
        request_id text NOT NULL,
        action text NOT NULL,
        target text NOT NULL,
        before jsonb,
        after jsonb,
        PRIMARY KEY (workspace_id, id)
      )`);
    await createOutboxTable(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE outbox, audit_log, keys, workspaces');
  }
}
