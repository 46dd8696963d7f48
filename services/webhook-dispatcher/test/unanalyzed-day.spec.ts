// A day that has just begun: PostgreSQL knows nothing of its partition, which was empty when it planned the statements.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually, WebhookReceiver } from '@na/testing';
import { DispatcherBed } from './dispatcher-bed.js';

let dispatcher: DispatcherBed;
let receiver: WebhookReceiver;
beforeAll(async () => {
  dispatcher = await DispatcherBed.start();
  // Longer than a delivery may stay unwritten: each is inserted as pending and brought up to date.
  receiver = await WebhookReceiver.start((response) => void setTimeout(() => response.end(), 200));
});
afterAll(async () => {
  await receiver.stop();
  await dispatcher.stop();
});

test('the loops read deliveries by their keys alone', async () => {
  const { workspaceId } = await dispatcher.createEndpoint(receiver.url);
  for (let count = 1; count <= 12; count++) {
    await dispatcher.publish(dispatcher.pageCreated(workspaceId));
    await dispatcher.untilListed(workspaceId, count);
  }
  await eventually(async () => {
    const unfinished = (await dispatcher.list(workspaceId)).filter(({ status }) => status !== 'succeeded');
    expect(unfinished).toEqual([]);
  });
  await dispatcher.stopDispatchers();
  // What connections have counted is there once their servers have ended, a moment after the connections have.
  await eventually(async () => {
    const { rowCount } = await dispatcher.sql.query(`SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'webhook-dispatcher'`);
    expect(rowCount).toBe(0);
  });
  const { rows } = await dispatcher.sql.query(
    `SELECT sum(idx_tup_fetch) > 0 AS by_key, sum(seq_tup_read)::integer AS otherwise FROM pg_stat_user_tables WHERE relname LIKE 'deliveries%'`,
  );
  expect(rows).toEqual([{ by_key: true, otherwise: 0 }]);
});
