// The first tables of reporting: pages and goals, hits in monthly partitions, conversions, the outbox.
import { createOutboxTable } from '@na/outbox';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreatePagesGoalsHits1795500000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE pages (
        workspace_id text COLLATE "C" NOT NULL,
        id text COLLATE "C" NOT NULL,
        url text COLLATE "C" NOT NULL,
        title text NOT NULL,
        time_zone text,
        verified_at timestamptz(3),
        created_at timestamptz(3) NOT NULL,
        PRIMARY KEY (workspace_id, id),
        CONSTRAINT pages_url_unique UNIQUE (workspace_id, url)
      )`);
    await runner.query(`
      CREATE TABLE goals (
        workspace_id text COLLATE "C" NOT NULL,
        id text COLLATE "C" NOT NULL,
        name text NOT NULL,
        event_name text COLLATE "C" NOT NULL,
        page_id text COLLATE "C",
        value double precision,
        created_at timestamptz(3) NOT NULL,
        PRIMARY KEY (workspace_id, id),
        FOREIGN KEY (workspace_id, page_id) REFERENCES pages (workspace_id, id)
      )`);
    await runner.query('CREATE INDEX goals_event_name ON goals (workspace_id, event_name)');
    await createHits(runner);
    await createOutboxTable(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE outbox, conversions, hits, goals, pages');
  }
}

async function createHits(runner: QueryRunner): Promise<void> {
  // PostgreSQL wants the partition column in every unique key. (workspace_id, id, occurred_at) recognises a hit that is
  // delivered again, for its occurred_at is set once, before publishing. A client that sends a hit again is recognised
  // when it gives the same occurred_at; without one, only within the duplicate window of the stream.
  await runner.query(`
    CREATE TABLE hits (
      workspace_id text COLLATE "C" NOT NULL,
      id text COLLATE "C" NOT NULL,
      occurred_at timestamptz(3) NOT NULL,
      received_at timestamptz(3) NOT NULL,
      page_id text COLLATE "C",
      url text,
      type text NOT NULL,
      name text,
      visitor_id text NOT NULL,
      referrer text,
      utm jsonb,
      props jsonb,
      PRIMARY KEY (workspace_id, id, occurred_at)
    ) PARTITION BY RANGE (occurred_at)`);
  await runner.query('CREATE INDEX hits_of_page ON hits (workspace_id, page_id, occurred_at)');
  await runner.query('CREATE TABLE hits_default PARTITION OF hits DEFAULT');
  // The event id stands in the row, so that one conversion is always told as one event.
  await runner.query(`
    CREATE TABLE conversions (
      workspace_id text COLLATE "C" NOT NULL,
      goal_id text COLLATE "C" NOT NULL,
      hit_id text COLLATE "C" NOT NULL,
      event_id text COLLATE "C" NOT NULL,
      page_id text COLLATE "C",
      visitor_id text NOT NULL,
      value double precision,
      converted_at timestamptz(3) NOT NULL,
      PRIMARY KEY (workspace_id, goal_id, hit_id)
    )`);
}
