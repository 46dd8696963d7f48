import { expect, test } from '@jest/globals';
import type { Logger } from '@na/service-host';
import { GroupCommit, type GroupCommitWork } from './group-commit.js';

const logger = { error: () => undefined } as unknown as Logger;

function groupOf(write: (batch: number[], isRepeat: boolean) => Promise<void>, maxWriters: number) {
  const written: number[] = [];
  const refused: number[] = [];
  const work: GroupCommitWork<number> = { write, done: (batch) => written.push(...batch), refused: (item) => refused.push(item), nameOf: String };
  return { group: new GroupCommit(work, { gatherMs: 1, maxWriters }, logger), written, refused };
}

test('what comes together is written together, and no more at once than one statement takes', async () => {
  const sizes: number[] = [];
  const { group, written } = groupOf(async (batch) => void sizes.push(batch.length), 1);
  for (let i = 0; i < 450; i++) group.add(i);
  await group.drain();
  expect(written).toEqual(Array.from({ length: 450 }, (_, i) => i));
  expect(sizes).toEqual([200, 200, 50]);
});

test('a statement that does not end keeps none that come later from being written', async () => {
  const [stuck, written] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const { group } = groupOf(async ([first]) => {
    if (first !== 0) return written.resolve();
    stuck.resolve();
    await new Promise(() => undefined);
  }, 2);
  group.add(0);
  await stuck.promise;
  group.add(1);
  await written.promise;
});

test('there are never more statements at the same time than there may be, also when one ends and many wait', async () => {
  const ends: (() => void)[] = [];
  let most = 0;
  const { group, written } = groupOf(async () => {
    const end = Promise.withResolvers<void>();
    ends.push(end.resolve);
    most = Math.max(most, ends.length);
    await end.promise;
  }, 1);
  for (let i = 0; i < 900; i++) group.add(i);
  while (written.length < 900) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    ends.shift()?.();
  }
  expect(most).toBe(1);
});

test('one that PostgreSQL refuses does not keep its batch from being written', async () => {
  const isBad = (item: number) => item === 2;
  const { group, written, refused } = groupOf(async (batch) => {
    if (batch.some(isBad)) throw Object.assign(new Error('invalid byte sequence'), { code: '22021' });
  }, 1);
  for (const item of [1, 2, 3]) group.add(item);
  await group.drain();
  expect({ written, refused }).toEqual({ written: [1, 3], refused: [2] });
});

test('to drain is to write what was added while it wrote, too', async () => {
  const { group, written } = groupOf(async ([first]) => {
    if (first! < 3) group.add(first! + 1);
  }, 1);
  group.add(0);
  await group.drain();
  expect(written).toEqual([0, 1, 2, 3]);
});
