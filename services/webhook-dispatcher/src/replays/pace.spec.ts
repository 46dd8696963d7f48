import { expect, test } from '@jest/globals';
import { pace } from './pace.js';

const now = new Date('2026-03-04T05:06:07.000Z');
const msAfter = (date: Date) => date.getTime() - now.getTime();

test('a batch is spread evenly, and the next one goes on where it ends', () => {
  const { dueAt, next } = pace(4, 4, now);
  expect([...dueAt, next].map(msAfter)).toEqual([0, 250, 500, 750, 1_000]);
});

test('an empty batch costs no time', () => {
  expect(pace(0, 50, now)).toEqual({ dueAt: [], next: now });
});

test.each([1, 3, 7, 50, 999, 1_000])('at %i a second no second has more, over batches of any size', (rate) => {
  const due: number[] = [];
  let start = now;
  for (const count of [1, rate, Math.ceil(rate / 3), rate, 2]) {
    const { dueAt, next } = pace(count, rate, start);
    due.push(...dueAt.map(msAfter));
    start = next;
  }
  const busiest = Math.max(...due.map((from) => due.filter((at) => at >= from && at < from + 1_000).length));
  expect(busiest).toBeLessThanOrEqual(rate);
  expect(start.getTime() - now.getTime()).toBeLessThanOrEqual((due.length * 1_000) / rate + 5);
});
