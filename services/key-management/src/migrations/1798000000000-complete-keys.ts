// The rest of a key's life (start, pause, rotation, limits, use, warnings before its end), versions of workspaces, leases.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CompleteKeys1798000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE keys
        ADD revoked_reason text,
        ADD not_before timestamptz(3),
        ADD disabled_at timestamptz(3),
        ADD allowed_ips text[] NOT NULL DEFAULT '{}',
        ADD rate_limit integer,
        ADD rate_window_seconds integer,
        ADD last_used_at timestamptz(3),
        ADD rotated_at timestamptz(3),
        ADD previous_secret_mac bytea CHECK (octet_length(previous_secret_mac) = 32),
        ADD previous_pepper_version integer,
        ADD previous_ends_at timestamptz(3),
        ADD next_warning_at timestamptz(3),
        ADD CHECK (num_nulls(rate_limit, rate_window_seconds) IN (0, 2)),
        ADD CHECK (num_nulls(previous_secret_mac, previous_pepper_version, previous_ends_at) IN (0, 3))`);
    await runner.query(`UPDATE keys SET revoked_reason = 'by_hand' WHERE revoked_at IS NOT NULL`);
    await runner.query('ALTER TABLE keys ADD CHECK (num_nulls(revoked_at, revoked_reason) IN (0, 2))');
    // Nobody has been warned of the end of these yet.
    await runner.query(`UPDATE keys SET next_warning_at = expires_at - interval '7 days' WHERE revoked_at IS NULL AND expires_at > now()`);
    await runner.query('CREATE INDEX keys_next_warning ON keys (next_warning_at) WHERE next_warning_at IS NOT NULL');
    await runner.query('ALTER TABLE workspaces ADD version integer NOT NULL DEFAULT 1');
    // What happened to one thing is what a log is asked most.
    await runner.query('CREATE INDEX audit_log_target ON audit_log (workspace_id, target, id)');
    await runner.query(`
      CREATE TABLE gateway_leases (
        gateway_id text COLLATE "C" PRIMARY KEY,
        leased_until timestamptz NOT NULL,
        is_renewable boolean NOT NULL
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE gateway_leases');
    await runner.query('DROP INDEX audit_log_target');
    await runner.query('ALTER TABLE workspaces DROP version');
    await runner.query(`
      ALTER TABLE keys
        DROP revoked_reason, DROP not_before, DROP disabled_at, DROP allowed_ips, DROP rate_limit, DROP rate_window_seconds,
        DROP last_used_at, DROP rotated_at, DROP previous_secret_mac, DROP previous_pepper_version, DROP previous_ends_at,
        DROP next_warning_at`);
  }
}
