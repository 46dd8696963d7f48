import { expect, test } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { OrderedWrites } from './ordered-writes.js';

/** Writes end when they are told to, and fail where an item is not good. */
function stage() {
  const begun: string[][] = [];
  const ends: (() => void)[] = [];
  const writes = new OrderedWrites<string>(async (items) => {
    begun.push(items);
    await new Promise<void>((resolve) => ends.push(resolve));
    if (items.includes('bad')) throw new Error('bad');
  });
  const endNext = async () => {
    ends.shift()!();
    await turn();
  };
  return { writes, begun, endNext };
}

test('none begins before the one that was asked for earlier has ended; what waits meanwhile goes together', async () => {
  const { writes, begun, endNext } = stage();
  const written = [['a'], ['b', 'c'], ['d']].map((items) => writes.write(items));
  await turn();
  written.push(writes.write(['e']), writes.write(['f']));
  await turn();
  expect(begun).toEqual([['a', 'b', 'c', 'd']]);
  await endNext();
  expect(begun).toEqual([['a', 'b', 'c', 'd'], ['e', 'f']]);
  await endNext();
  await Promise.all(written);
});

test('what can not be written fails by itself, and holds up nothing', async () => {
  const { writes, begun, endNext } = stage();
  const outcomes = Promise.allSettled([['a'], ['bad'], ['c']].map((items) => writes.write(items)));
  await turn();
  for (let i = 0; i < 4; i++) await endNext();
  expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(begun).toEqual([['a', 'bad', 'c'], ['a'], ['bad'], ['c']]);
});
