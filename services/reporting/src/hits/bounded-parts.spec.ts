import { expect, test } from '@jest/globals';
import { boundedParts } from './bounded-parts.js';
import type { HitRow } from './hit-row.js';

const row = (length: number) => ({ url: null, referrer: null, utm: null, props: 'x'.repeat(length) }) as HitRow;
const lengths = (sizes: number[], max: number) => boundedParts(sizes.map(row), max).map((part) => part.map(({ props }) => props!.length));

test('a batch is split where it would grow beyond the bound, in its order', () => {
  expect(lengths([3, 3, 4, 1], 10)).toEqual([[3, 3, 4], [1]]);
  expect(lengths([1, 1], 10)).toEqual([[1, 1]]);
});

test('a hit larger than the bound stands alone', () => {
  expect(lengths([1, 20, 1], 10)).toEqual([[1], [20], [1]]);
});

test('no hits make no parts', () => {
  expect(lengths([], 10)).toEqual([]);
});
