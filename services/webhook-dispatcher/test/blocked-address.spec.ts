import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WebhookReceiver } from '@na/testing';
import { DispatcherBed } from './dispatcher-bed.js';

let dispatcher: DispatcherBed;
let receiver: WebhookReceiver;
beforeAll(async () => {
  dispatcher = await DispatcherBed.start({ allowedCidrs: [] });
  receiver = await WebhookReceiver.start();
});
afterAll(async () => {
  await dispatcher.stop();
  await receiver.stop();
});

const hosts = ['127.0.0.1', '2130706433', '0x7f.1', '0177.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '[::1]'];

test.each(hosts)('without an allowed network nothing is sent to %s', async (host) => {
  const { workspaceId } = await dispatcher.createEndpoint(receiver.url.replace('127.0.0.1', host));
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  expect(await dispatcher.deliveryIn(workspaceId, 'retrying', 1)).toMatchObject({ error: 'address_blocked' });
  expect(receiver.requests).toEqual([]);
});
