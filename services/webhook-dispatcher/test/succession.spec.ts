import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually, hang, WebhookReceiver } from '@na/testing';
import { graceMs } from '../src/deliveries/replica.js';
import { DispatcherBed } from './dispatcher-bed.js';

let dispatcher: DispatcherBed;
let receiver: WebhookReceiver;
beforeAll(async () => {
  dispatcher = await DispatcherBed.start();
  receiver = await WebhookReceiver.start();
});
afterAll(async () => {
  await receiver.stop();
  await dispatcher.stop();
});

/** Leaves a delivery as a replica leaves it that was killed while it had the lease. */
async function leaseTo(replica: number, deliveryId: string): Promise<void> {
  const leasedUntil = new Date(dispatcher.bed.clock.now().getTime() + 60_000);
  await dispatcher.sql.query(
    `UPDATE deliveries SET status = 'pending', attempts = 0, completed_at = NULL, due_at = $1, leased_by = $2 WHERE id = $3`,
    [leasedUntil, replica, deliveryId],
  );
}

test('what a replica that died had leased is attempted by one that starts, seconds later, without waiting for the lease to end', async () => {
  const { workspaceId } = await dispatcher.createEndpoint(receiver.url);
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  const { id } = await dispatcher.deliveryIn(workspaceId, 'succeeded', 1);
  await leaseTo(999_999, id);
  await dispatcher.startDispatcher();
  dispatcher.bed.clock.advance(graceMs);
  await receiver.received(2);
  expect(await dispatcher.deliveryIn(workspaceId, 'succeeded', 1)).toMatchObject({ id });
});

test('what a living replica has leased is left to it', async () => {
  receiver.behave(hang);
  const { workspaceId } = await dispatcher.createEndpoint(receiver.url, { timeoutMs: 30_000 });
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  const before = (await receiver.until((all) => all.some(({ body }) => body.includes(workspaceId)))).length;
  const another = await dispatcher.startDispatcher();
  dispatcher.bed.clock.advance(graceMs);
  // A delivery of another workspace goes out after the newcomer has looked at what is leased: by then it has had its chance.
  const other = await dispatcher.createEndpoint(receiver.url, { timeoutMs: 100 });
  await dispatcher.publish(dispatcher.pageCreated(other.workspaceId));
  await dispatcher.deliveryIn(other.workspaceId, 'retrying', 1);
  expect(receiver.requests.filter(({ body }) => body.includes(workspaceId))).toHaveLength(1);
  expect(receiver.requests.length).toBe(before + 1);
  receiver.behave((response) => void response.end());
  await another.stop();
});

test('a replica that loses its lock takes it again, once', async () => {
  const locks = async (replica?: number) => {
    const { rows } = await dispatcher.sql.query<{ pid: number; replica: number }>(
      `SELECT pid, objid::integer AS replica FROM pg_locks
       WHERE locktype = 'advisory' AND classid = 1819112563 AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    return rows.filter((row) => replica === undefined || row.replica === replica);
  };
  const [before] = await locks();
  await dispatcher.sql.query('SELECT pg_terminate_backend($1)', [before!.pid]);
  await eventually(async () => {
    const held = await locks(before!.replica);
    expect(held).toHaveLength(1);
    expect(held[0]!.pid).not.toBe(before!.pid);
  });
});
