import { expect, test } from '@jest/globals';
import { SharedTurns, Turns } from './turns.js';

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

test('of many who share turns each works on one thing at a time, and is behind the others with its next', async () => {
  const turns = new SharedTurns(new Turns(2));
  const started: string[] = [];
  const jobs = new Map<string, PromiseWithResolvers<void>>();
  const take = (who: string, name: string) => {
    const job = Promise.withResolvers<void>();
    jobs.set(name, job);
    return turns.take(who, () => (started.push(name), job.promise));
  };
  const finish = async (name: string) => {
    jobs.get(name)!.resolve();
    await new Promise(setImmediate);
  };
  const results = Promise.allSettled([take('a', 'a1'), take('a', 'a2'), take('a', 'a3'), take('b', 'b1'), take('c', 'c1')]);
  expect(started).toEqual(['a1', 'b1']);
  await finish('a1');
  expect(started).toEqual(['a1', 'b1', 'c1']);
  await finish('b1');
  expect(started).toEqual(['a1', 'b1', 'c1', 'a2']);
  await finish('c1');
  expect(started).toEqual(['a1', 'b1', 'c1', 'a2']);
  jobs.get('a2')!.reject(new Error('failed'));
  await finish('a3');
  expect((await results).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
});
