// What an endpoint can be told, how it fares, replays, and where an attempt's time went.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class EndpointSettingsHealthReplays1796000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // previous_secrets: newest first, [{"sealed": base64, "until": RFC 3339}]. warnings: how many the owners have had since
    // failing_since. A deleted endpoint stays as long as its deliveries are to be explained.
    await runner.query(`
      ALTER TABLE endpoints
        ADD page_ids text[] NOT NULL DEFAULT '{}',
        ADD headers jsonb NOT NULL DEFAULT '{}',
        ADD rate_limit_per_second integer,
        ADD max_in_flight integer,
        ADD ordered boolean NOT NULL DEFAULT false,
        ADD previous_secrets jsonb NOT NULL DEFAULT '[]',
        ADD disabled_at timestamptz(3),
        ADD deleted_at timestamptz(3),
        ADD failing_since timestamptz(3),
        ADD failed_attempts integer NOT NULL DEFAULT 0,
        ADD warnings integer NOT NULL DEFAULT 0`);

    await runner.query(`
      ALTER TABLE attempts
        ADD queued_ms double precision,
        ADD connected_ms double precision,
        ADD head_ms double precision`);

    // after_event_at and after_id: the last one dealt with, so that a replay goes on where a crash left it.
    await runner.query(`
      CREATE TABLE replays (
        id text COLLATE "C" PRIMARY KEY,
        workspace_id text COLLATE "C" NOT NULL,
        endpoint_id text COLLATE "C" NOT NULL,
        status text NOT NULL CHECK (status IN ('planned', 'running', 'completed', 'cancelled')),
        since timestamptz(3) NOT NULL,
        until timestamptz(3) NOT NULL,
        statuses text[] NOT NULL,
        event_types text[] NOT NULL,
        include_missed boolean NOT NULL,
        rate_per_second integer NOT NULL,
        dry_run boolean NOT NULL,
        total integer NOT NULL,
        done integer NOT NULL,
        after_event_at timestamptz(3),
        after_id text COLLATE "C",
        created_at timestamptz(3) NOT NULL,
        completed_at timestamptz(3)
      )`);
    await runner.query(`CREATE INDEX replays_of_endpoint ON replays (endpoint_id, id)`);
    await runner.query(`CREATE INDEX replays_running ON replays (id) WHERE status = 'running'`);
    // The schedule is asked endpoint by endpoint: see schedule-store.ts.
    await runner.query('DROP INDEX deliveries_due');
    await runner.query(`CREATE INDEX deliveries_due_of_endpoint ON deliveries (endpoint_id, due_at) WHERE due_at IS NOT NULL`);
    await runner.query(`CREATE INDEX deliveries_unfinished_of_endpoint ON deliveries (endpoint_id, event_at, event_id) WHERE due_at IS NOT NULL`);
    await runner.query(`CREATE INDEX events_of_workspace ON events (workspace_id, event_at, id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE replays');
    await runner.query('DROP INDEX events_of_workspace, deliveries_unfinished_of_endpoint, deliveries_due_of_endpoint');
    await runner.query(`CREATE INDEX deliveries_due ON deliveries (due_at) WHERE due_at IS NOT NULL`);
    await runner.query('ALTER TABLE attempts DROP queued_ms, DROP connected_ms, DROP head_ms');
    await runner.query(`
      ALTER TABLE endpoints DROP page_ids, DROP headers, DROP rate_limit_per_second, DROP max_in_flight, DROP ordered,
        DROP previous_secrets, DROP disabled_at, DROP deleted_at, DROP failing_since, DROP failed_attempts, DROP warnings`);
  }
}
