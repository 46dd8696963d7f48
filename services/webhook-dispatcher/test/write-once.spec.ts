import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { answer, WebhookReceiver } from '@na/testing';
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

/** Whether the delivery's row was written by the transaction that logged its event, and never again. */
async function isWrittenOnce(deliveryId: string): Promise<boolean> {
  const { rows } = await dispatcher.sql.query<{ once: boolean }>(
    `SELECT d.xmin = e.xmin AS once FROM deliveries d JOIN events e ON e.id = d.event_id AND e.event_at = d.event_at
     WHERE d.id = $1`,
    [deliveryId],
  );
  return rows[0]!.once;
}

test('what succeeds quickly at the first try is written once, finished', async () => {
  const { workspaceId } = await dispatcher.createEndpoint(receiver.url);
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  const { id } = await dispatcher.deliveryIn(workspaceId, 'succeeded', 1);
  expect(await isWrittenOnce(id)).toBe(true);
});

test('what fails quickly at the first try is written once, with its retry planned', async () => {
  receiver.behave(answer(500));
  const { workspaceId } = await dispatcher.createEndpoint(receiver.url);
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  const { id, nextRetryAt } = await dispatcher.deliveryIn(workspaceId, 'retrying', 1);
  expect(nextRetryAt).toBeDefined();
  expect(await isWrittenOnce(id)).toBe(true);
});

test('what takes long is in the table as pending while it does', async () => {
  let finish = () => undefined as void;
  receiver.behave((response) => (finish = () => void response.end()));
  const { workspaceId } = await dispatcher.createEndpoint(receiver.url);
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  const { id } = await dispatcher.deliveryIn(workspaceId, 'pending', 0);
  finish();
  await dispatcher.deliveryIn(workspaceId, 'succeeded', 1);
  expect(await isWrittenOnce(id)).toBe(false);
});

test('an event for two endpoints of which one is slow is logged once, and each delivery as it went', async () => {
  let finish = () => undefined as void;
  receiver.behave((response, { path }) => (path.endsWith('/slow') ? (finish = () => void response.end()) : response.end()));
  const slow = await dispatcher.createEndpoint(`${receiver.url}/slow`);
  await dispatcher.createEndpoint(`${receiver.url}/quick`, { workspaceId: slow.workspaceId });
  await dispatcher.publish(dispatcher.pageCreated(slow.workspaceId));
  const states = async () => (await dispatcher.untilListed(slow.workspaceId, 2)).map(({ status }) => status).sort();
  expect(await states()).toEqual(['pending', 'succeeded']);
  finish();
  await dispatcher.oneInState(slow.workspaceId, 'succeeded');
});
