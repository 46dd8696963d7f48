import { expect, test } from '@jest/globals';
import { chooseBatch } from './batch.js';

const even = (n: number) => n % 2 === 0;
const all = () => true;

test.each([
  ['nothing found', [], 10, 2, all, { chosen: [], last: undefined, isFinal: true }],
  ['fewer than a batch', [1, 2], 10, 3, all, { chosen: [1, 2], last: 2, isFinal: true }],
  ['just a batch, and more may follow', [1, 2], 2, 2, all, { chosen: [1, 2], last: 2, isFinal: false }],
  ['just a batch, and nothing follows', [1, 2], 10, 2, all, { chosen: [1, 2], last: 2, isFinal: true }],
  ['more than a batch', [1, 2, 3], 10, 2, all, { chosen: [1, 2], last: 2, isFinal: false }],
  ['unwanted ones before and between', [1, 2, 3, 4, 5], 10, 2, even, { chosen: [2, 4], last: 4, isFinal: false }],
  ['unwanted ones at the end', [2, 3], 10, 2, even, { chosen: [2], last: 3, isFinal: true }],
  ['only unwanted ones, and more may follow', [1, 3], 2, 2, even, { chosen: [], last: 3, isFinal: false }],
])('with %s', (_, found, limit, size, isWanted, expected) => {
  expect(chooseBatch(found, limit, size, isWanted)).toEqual(expected);
});

test('batch after batch every wanted candidate is chosen once', () => {
  const candidates = Array.from({ length: 57 }, (_, n) => n);
  const chosen: number[] = [];
  for (let position = -1, isFinal = false; !isFinal; ) {
    const batch = chooseBatch(candidates.filter((n) => n > position).slice(0, 10), 10, 3, even);
    chosen.push(...batch.chosen);
    position = batch.last ?? position;
    isFinal = batch.isFinal;
  }
  expect(chosen).toEqual(candidates.filter(even));
});
