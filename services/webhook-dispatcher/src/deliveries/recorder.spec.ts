import { expect, test } from '@jest/globals';
import type { Logger } from '@na/service-host';
import type { AttemptedDelivery } from './delivery.js';
import { Recorder } from './recorder.js';

const attempted = (id: string) => ({ delivery: { id }, outcome: { kind: 'answered', status: 200 } }) as AttemptedDelivery;

test('what could not be written is written again, as what may be there already', async () => {
  const repeats: boolean[] = [];
  const logger = { error: () => undefined } as unknown as Logger;
  const recorder = new Recorder(async (_batch, _kind, isRepeat) => {
    repeats.push(isRepeat);
    if (!isRepeat) throw new Error('the answer to the commit was lost');
  }, logger);
  await recorder.record(attempted('dlv_one'));
  await recorder.drain();
  expect(repeats).toEqual([false, true]);
});

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
