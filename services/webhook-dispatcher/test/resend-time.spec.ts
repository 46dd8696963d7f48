// The time of an attempt that is sent once more, because the connection that was kept for it broke.
import { afterEach, expect, jest, test } from '@jest/globals';
import { answer, hang, inTurn, reset, WebhookReceiver, type Behaviour } from '@na/testing';
import { Sender } from '../src/deliveries/send.js';
import { parseCidrs } from '../src/endpoints/target-address.js';

const timeoutMs = 3_600_000;
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  jest.restoreAllMocks();
  for (const close of closing.splice(0).reverse()) await close();
});

/** Moves on the clock that attempts are timed by. */
function pass(ms: number): void {
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() + ms);
}

test('an attempt that is sent once more has the time that is left of it, and not all of it again', async () => {
  const resetLate: Behaviour = (...request) => {
    pass(timeoutMs - 100);
    reset(...request);
  };
  const receiver = await WebhookReceiver.start(inTurn(answer(200), resetLate, hang));
  const sender = new Sender({ allowed: parseCidrs(['127.0.0.0/8']), proxy: undefined, hosts: { find: async () => [] } });
  closing.push(() => sender.close(), () => receiver.stop());
  const send = () => sender.send({ url: receiver.url, headers: {}, body: Buffer.from('{}'), timeoutMs });
  expect(await send()).toMatchObject({ kind: 'answered' });
  await new Promise(setImmediate); // Until then its connection is not free.
  expect(await send()).toMatchObject({ kind: 'unanswered', error: 'timeout' });
});
