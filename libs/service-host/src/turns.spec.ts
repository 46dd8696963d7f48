import { expect, test } from '@jest/globals';
import { Turns } from './turns.js';

test('so many work at once, in the order they came, and one that fails makes room like any other', async () => {
  const turns = new Turns(2);
  const started: number[] = [];
  const jobs = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const results = Promise.allSettled(jobs.map(({ promise }, index) => turns.take(() => (started.push(index), promise))));
  expect(started).toEqual([0, 1]);
  jobs[1]!.reject(new Error('failed'));
  jobs[2]!.resolve();
  await new Promise(setImmediate);
  expect(started).toEqual([0, 1, 2, 3]);
  for (const { resolve } of jobs) resolve();
  expect((await results).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
  await turns.take(async () => void started.push(5));
  expect(started).toEqual([0, 1, 2, 3, 4, 5]);
});
