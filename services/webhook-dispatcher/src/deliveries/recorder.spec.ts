import { expect, test } from '@jest/globals';
import type { Logger } from '@na/service-host';
import type { AttemptedDelivery } from './delivery.js';
import { Recorder } from './recorder.js';

const attempted = (id: string) => ({ delivery: { id }, outcome: { kind: 'answered', status: 200 } }) as AttemptedDelivery;

test('a look into the table is told of the attempts that were recorded during it, or are still to be', async () => {
  const recorded = Promise.withResolvers<void>();
  const recorder = new Recorder(async ([first]) => (first!.delivery.id === 'dlv_late' ? new Promise(() => undefined) : recorded.promise), {} as Logger);
  await recorder.record(attempted('dlv_during'));
  const [, isAttempted] = await recorder.watchDuring(async () => {
    recorded.resolve();
    await recorder.drain();
    await recorder.record(attempted('dlv_late'));
  });
  expect(['dlv_during', 'dlv_late', 'dlv_other'].map(isAttempted)).toEqual([true, true, false]);
  expect(recorder.holds('dlv_during')).toBe(false);
});
