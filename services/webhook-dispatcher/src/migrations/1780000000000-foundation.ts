// Endpoints, the log of events, deliveries, attempts.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Foundation1780000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE endpoints (
        id text COLLATE "C" PRIMARY KEY,
        workspace_id text COLLATE "C" NOT NULL,
        url text NOT NULL,
        description text NOT NULL,
        event_types text[] NOT NULL,
        retry_policy jsonb NOT NULL,
        timeout_ms integer NOT NULL,
        status text NOT NULL CHECK (status IN ('enabled', 'disabled')),
        disabled_reason text,
        sealed_secret bytea NOT NULL,
        created_at timestamptz(3) NOT NULL
      )`);
    await runner.query(`CREATE INDEX endpoints_of_workspace ON endpoints (workspace_id, id)`);

    await runner.query(`
      CREATE TABLE events (
        id text COLLATE "C" NOT NULL,
        event_at timestamptz(3) NOT NULL,
        workspace_id text COLLATE "C" NOT NULL,
        type text NOT NULL,
        payload bytea NOT NULL,
        traceparent text,
        PRIMARY KEY (id, event_at)
      ) PARTITION BY RANGE (event_at)`);

    // due_at is the one column the schedule goes by: the next attempt's time, or the end of the lease while someone has
    // it, or null once nothing more will happen.
    await runner.query(`
      CREATE TABLE deliveries (
        id text COLLATE "C" NOT NULL,
        event_at timestamptz(3) NOT NULL,
        workspace_id text COLLATE "C" NOT NULL,
        endpoint_id text COLLATE "C" NOT NULL,
        event_id text COLLATE "C" NOT NULL,
        event_type text NOT NULL,
        status text NOT NULL CHECK (status IN ('pending', 'retrying', 'succeeded', 'failed', 'cancelled')),
        attempts integer NOT NULL,
        max_attempts integer NOT NULL,
        response_code integer,
        error text,
        created_at timestamptz(3) NOT NULL,
        last_attempt_at timestamptz(3),
        next_attempt_at timestamptz(3),
        due_at timestamptz(3),
        leased_by integer,
        completed_at timestamptz(3),
        PRIMARY KEY (id, event_at)
      ) PARTITION BY RANGE (event_at)`);
    await runner.query(`CREATE INDEX deliveries_due ON deliveries (due_at) WHERE due_at IS NOT NULL`);
    await runner.query(`CREATE INDEX deliveries_of_workspace ON deliveries (workspace_id, event_at DESC, id DESC)`);
    await runner.query(`CREATE INDEX deliveries_of_endpoint ON deliveries (endpoint_id, event_at DESC, id DESC)`);

    await runner.query(`
      CREATE TABLE attempts (
        delivery_id text COLLATE "C" NOT NULL,
        event_at timestamptz(3) NOT NULL,
        number integer NOT NULL,
        id text COLLATE "C" NOT NULL,
        started_at timestamptz(3) NOT NULL,
        duration_ms double precision NOT NULL,
        response_code integer,
        response_headers jsonb NOT NULL,
        response_body text,
        error text,
        PRIMARY KEY (delivery_id, number, event_at)
      ) PARTITION BY RANGE (event_at)`);

    // Cycles long before a number could still be in use.
    await runner.query(`CREATE SEQUENCE replicas AS integer CYCLE`);

    for (const table of ['events', 'deliveries', 'attempts']) {
      await runner.query(`CREATE TABLE ${table}_default PARTITION OF ${table} DEFAULT`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE attempts, deliveries, events, endpoints');
    await runner.query('DROP SEQUENCE replicas');
  }
}
