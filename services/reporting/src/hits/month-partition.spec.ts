import { expect, test } from '@jest/globals';
import { monthPartition, monthsAround, partitionOfHit } from './month-partition.js';

const names = (months: { name: string }[]) => months.map(({ name }) => name);

test('a month runs from its first to the next first, in UTC', () => {
  const december = { name: 'hits_2026_12', from: new Date('2026-12-01T00:00:00Z'), to: new Date('2027-01-01T00:00:00Z') };
  expect(monthPartition(new Date('2026-12-01T00:00:00.000Z'))).toEqual(december);
  expect(monthPartition(new Date('2026-12-31T23:59:59.999Z'))).toEqual(december);
});

test('the neighbours of a month are right across the turn of the year and from the 31st', () => {
  expect(names(monthsAround(new Date('2026-01-31T12:00:00Z')))).toEqual(['hits_2025_12', 'hits_2026_01', 'hits_2026_02']);
  expect(names(monthsAround(new Date('2026-12-31T12:00:00Z')))).toEqual(['hits_2026_11', 'hits_2026_12', 'hits_2027_01']);
});

test('a hit as old as the gateway accepts has its month, even two months back', () => {
  const receivedAt = new Date('2026-03-01T10:00:00Z');
  expect(partitionOfHit({ receivedAt, occurredAt: new Date('2026-01-29T10:00:00.000Z') })?.name).toBe('hits_2026_01');
  expect(partitionOfHit({ receivedAt, occurredAt: new Date('2026-01-29T09:59:59.999Z') })).toBeUndefined();
});

test('a hit as far ahead as the gateway accepts has its month, and none further', () => {
  const receivedAt = new Date('2026-11-30T23:57:00Z');
  expect(partitionOfHit({ receivedAt, occurredAt: new Date('2026-12-01T00:02:00.000Z') })?.name).toBe('hits_2026_12');
  expect(partitionOfHit({ receivedAt, occurredAt: new Date('2026-12-01T00:02:00.001Z') })).toBeUndefined();
});
