import { expect, test } from '@jest/globals';
import { FirstHandedOut } from './first-handed-out.js';

const sequences = [5, 6, 9];
const areNew = (first: FirstHandedOut) => sequences.map((sequence) => first.isNew(sequence));

test('only what comes after all that the stream held when it was connected is new', async () => {
  const first = new FirstHandedOut(async () => 5);
  expect(areNew(first)).toEqual([false, false, false]);
  await first.trust();
  expect(areNew(first)).toEqual([false, true, true]);
});

test('without a connection nothing is, and after it what has come meanwhile is not', async () => {
  let last = 5;
  const first = new FirstHandedOut(async () => last);
  await first.trust();
  first.distrust();
  expect(areNew(first)).toEqual([false, false, false]);
  last = 8;
  await first.trust();
  expect(areNew(first)).toEqual([false, false, true]);
});

test('an answer from before the connection was lost again says nothing', async () => {
  const answer = Promise.withResolvers<number>();
  const first = new FirstHandedOut(() => answer.promise);
  const trusted = first.trust();
  first.distrust();
  answer.resolve(5);
  await trusted;
  expect(areNew(first)).toEqual([false, false, false]);
});
