import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { streams } from '@na/contracts';
import { eventually, WebhookReceiver } from '@na/testing';
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

test('an event that comes again while its attempt is in flight is not sent again', async () => {
  const held: (() => void)[] = [];
  receiver.behave((response) => void held.push(() => response.end()));
  const { workspaceId } = await dispatcher.createEndpoint(receiver.url, { timeoutMs: 30_000 });
  const event = dispatcher.pageCreated(workspaceId);
  await dispatcher.publish(event);
  await dispatcher.deliveryIn(workspaceId, 'pending', 0);
  dispatcher.bed.clock.advance(1);
  await dispatcher.publish(event, 'another message id');
  await eventually(async () => {
    const { num_pending, num_ack_pending } = await dispatcher.bed.bus.manager.consumers.info(streams.events.name, 'webhook-dispatcher');
    expect([num_pending, num_ack_pending]).toEqual([0, 0]);
  });
  // An orderly stop waits for what is in flight: what was taken twice has been sent by its end.
  const stopped = dispatcher.stopDispatchers();
  await receiver.received(1);
  held.forEach((end) => end());
  receiver.behave((response) => void response.end());
  await stopped;
  expect(receiver.requests).toHaveLength(1);
});
