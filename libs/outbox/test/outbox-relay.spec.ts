import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newEvent } from '@na/contracts';
import { openDatabase } from '@na/service-host';
import { eventually, TestBed } from '@na/testing';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import { appendToOutbox, createOutboxTable, eventMessage, OutboxRelay, type OutboxMessage } from '../src/index.js';

class CreateOutbox1700000000000 implements MigrationInterface {
  up(runner: QueryRunner): Promise<void> {
    return createOutboxTable(runner);
  }

  async down(): Promise<void> {}
}

let bed: TestBed;
let database: DataSource;
let relay: OutboxRelay;
beforeAll(async () => {
  bed = await TestBed.start();
  const host = bed.host('reporting');
  database = await openDatabase({ ...bed.config('reporting'), schema: 'reporting', entities: [], migrations: [CreateOutbox1700000000000] }, host);
  relay = OutboxRelay.start(database, bed.publisher, host);
});
afterAll(() => bed.stop());

async function tell(...messages: OutboxMessage[]): Promise<void> {
  await database.transaction((tx) => appendToOutbox(tx, messages));
  relay.wake();
}

function pageCreated(workspaceId: string): OutboxMessage {
  return eventMessage(newEvent({ type: 'page.created', workspaceId, createdAt: bed.clock.now(), data: { pageId: 'page_1', url: 'https://a.site/', title: '' } }));
}

test('a message that the bus refuses for good is moved aside with the reason, and holds up nothing behind it', async () => {
  const tooLarge = { ...pageCreated('ws_large'), id: 'too-large', body: new Uint8Array(9 * 1024 * 1024) };
  await tell(tooLarge, pageCreated('ws_behind'));
  expect((await bed.nextEvent('page.created', 'ws_behind')).workspaceId).toBe('ws_behind');
  await eventually(async () => expect(await database.query('SELECT id FROM outbox')).toEqual([]));
  expect(await database.query('SELECT message_id, reason FROM outbox_failed')).toEqual([
    { message_id: 'too-large', reason: 'The message is larger than the event bus takes.' },
  ]);
});

test('while the bus is away messages stay in the outbox, and are published when it is back', async () => {
  await bed.killNats();
  await tell(pageCreated('ws_away'));
  expect(await database.query('SELECT count(*)::int AS count FROM outbox')).toEqual([{ count: 1 }]);
  await bed.startNatsAgain();
  expect((await eventually(() => bed.nextEvent('page.created', 'ws_away'))).workspaceId).toBe('ws_away');
});
