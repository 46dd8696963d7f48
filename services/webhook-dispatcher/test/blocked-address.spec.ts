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

const addresses = ['127.0.0.1', '2130706433', '0x7f.1', '0177.0.0.1', '[::ffff:127.0.0.1]', '[::1]'];

test.each(addresses)('without an allowed network no webhook can be made for %s, nor one be changed to it', async (host) => {
  const url = receiver.url.replace('127.0.0.1', host);
  const refusal = { code: 'invalid_request', fields: [{ pointer: '/url', code: 'address_blocked' }] };
  await expect(dispatcher.createEndpoint(url)).rejects.toMatchObject(refusal);
  const { workspaceId, endpointId } = await dispatcher.createEndpoint('https://example.com/');
  const change = { caller: { workspaceId }, id: endpointId, settings: { url }, fields: ['url'] };
  await expect(dispatcher.endpoints.updateEndpoint(change)).rejects.toMatchObject(refusal);
});

test('what leads to an address that is not allowed any more can be changed in everything else', async () => {
  const workspaceId = await dispatcher.createEndpointAt(receiver.url);
  const { endpoints } = await dispatcher.endpoints.listEndpoints({ caller: { workspaceId }, limit: 1 });
  const change = { caller: { workspaceId }, id: endpoints[0]!.id, settings: { description: 'old' }, fields: ['description'] };
  expect((await dispatcher.endpoints.updateEndpoint(change)).endpoint).toMatchObject({ url: receiver.url, description: 'old' });
});

test.each([...addresses, 'localhost'])('without an allowed network nothing is sent to %s', async (host) => {
  const workspaceId = await dispatcher.createEndpointAt(receiver.url.replace('127.0.0.1', host));
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  expect(await dispatcher.deliveryIn(workspaceId, 'retrying', 1)).toMatchObject({ error: 'address_blocked' });
  expect(receiver.requests).toEqual([]);
});
