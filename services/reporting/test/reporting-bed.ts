// Reporting on a test bed: the started service, its clients, and the hits that tests send it.
import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { Context } from '@opentelemetry/api';
import { GoalService, hitSubject, HitSchema, PageService, streams, type EventType, type Hit } from '@na/contracts';
import { seeEveryWorkspace } from '@na/service-host';
import { TestBed } from '@na/testing';
import pg from 'pg';
import { typeid } from 'typeid-js';
import { startReporting } from '../src/start.js';

export async function startReportingBed() {
  const bed = await TestBed.start();
  const config = { ...bed.config('reporting'), hitBatchSize: 500 };
  const host = bed.host('reporting');
  const restart = () => startReporting(config, bed.host('reporting'));
  await startReporting(config, host);
  const sql = new pg.Client({ connectionString: config.databaseUrl, application_name: 'test' });
  await sql.connect();
  await sql.query(seeEveryWorkspace);
  const stop = async () => {
    await sql.end();
    await bed.stop();
  };
  return { bed, config, host, restart, sql, pages: bed.rpc.client(PageService), goals: bed.rpc.client(GoalService), stop };
}

export type ReportingBed = Awaited<ReturnType<typeof startReportingBed>>;

export function newWorkspace() {
  const workspaceId = typeid('ws').toString();
  return { workspaceId, caller: { workspaceId, actor: 'key_test' } };
}

/** A valid named event; `overrides` make it another one. */
export function aHit(workspaceId: string, overrides: MessageInitShape<typeof HitSchema> = {}): Hit {
  const now = timestampFromDate(new Date());
  return create(HitSchema, {
    id: typeid('hit').toString(),
    workspaceId,
    url: 'https://acme.notion.site/home',
    type: 'event',
    name: 'signup',
    visitorId: 'visitor_1',
    occurredAt: now,
    receivedAt: now,
    ...overrides,
  });
}

/** @param delivery another one makes the stream take the same hit again, as it would after its duplicate window */
export async function send({ bed }: ReportingBed, hit: Hit, { delivery = '1', trace }: { delivery?: string; trace?: Context } = {}): Promise<void> {
  const { workspaceId, id, visitorId } = hit;
  await bed.publisher.publish({
    subject: hitSubject(workspaceId, visitorId),
    body: toBinary(HitSchema, hit),
    id: `${workspaceId}:${id}:${delivery}`,
    trace,
  });
}

/**
 * Makes one batch of hits wait on a lock in the middle of its transaction, runs `meanwhile`, and lets it go on.
 * @param meanwhile is run once the batch has got as far as the insert
 */
export async function whileABatchIsStuck(reporting: ReportingBed, hit: Hit, meanwhile: () => Promise<void>): Promise<void> {
  const { sql } = reporting;
  await sql.query('BEGIN; LOCK TABLE hits IN ACCESS EXCLUSIVE MODE');
  try {
    await send(reporting, hit);
    await until(async () => (await sql.query(`SELECT FROM pg_locks WHERE relation = 'hits'::regclass AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)).rowCount !== 0);
    await meanwhile();
  } finally {
    await sql.query('COMMIT');
  }
}

/** Asks again at once: for what gives no signal of its own. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds()));
}

/** Hits of the stream that reporting has not taken yet or not acknowledged. */
export async function unacknowledged({ bed }: ReportingBed): Promise<number> {
  const info = await bed.bus.manager.consumers.info(streams.hits.name, 'reporting-hits');
  return info.num_pending + info.num_ack_pending;
}

export async function publishedConversions(reporting: ReportingBed, workspaceId: string): Promise<number> {
  return publishedEvents(reporting, workspaceId, 'goal.converted');
}

export async function publishedEvents({ bed }: ReportingBed, workspaceId: string, type: EventType): Promise<number> {
  const info = await bed.bus.manager.streams.info(streams.events.name, { subjects_filter: `na.events.v1.${workspaceId}.${type}` });
  return Object.values(info.state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
}
