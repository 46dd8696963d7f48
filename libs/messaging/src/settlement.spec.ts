import { expect, test } from '@jest/globals';
import { ServiceError } from '@na/service-error';
import { FailureCounts } from './failure-counts.js';
import { settleFailure } from './settlement.js';

const failures = (count: number) => ({ all: count, suspicious: count });

test.each([
  [1, 500],
  [2, 1_000],
  [5, 8_000],
  [9, 30_000],
])('after failure %i a message waits %i ms', (count, delayMs) => {
  expect(settleFailure(new Error('x'), failures(count), 10)).toEqual({ kind: 'retry', delayMs });
});

test.each([new Error('a bug'), { code: '22P02' }, { code: '23514' }, { code: '54000' }])(
  'a message that may be to blame itself goes to the dead-letter stream at its last try: %p',
  (error) => {
    expect(settleFailure(error, failures(9), 10).kind).toBe('retry');
    expect(settleFailure(error, failures(10), 10)).toEqual({ kind: 'dead-letter' });
  },
);

test('a message that its handler calls invalid is not tried again', () => {
  expect(settleFailure(new ServiceError('invalid_request', ''), failures(1), 10)).toEqual({ kind: 'dead-letter' });
});

test.each([
  ...['57P01', '08006', '25006', '53100', '53300', '28P01', '40P01', '57014', '42501', 'ECONNREFUSED', 'ENOSPC'].map((code) => ({ code })),
  ...(['unavailable', 'deadline_exceeded', 'internal'] as const).map((code) => new ServiceError(code, '')),
  new Error('Connection terminated unexpectedly'),
  new Error('Client was closed and is not queryable'),
])('a message is never given up for what is wrong around it: %p', (error) => {
  expect(settleFailure(error, failures(99), 10)).toEqual({ kind: 'retry', delayMs: 30_000 });
});

test('failures of an outage do not count towards the last try of a message', () => {
  const counts = new FailureCounts(10);
  for (let i = 0; i < 50; i++) counts.add(7, { code: '57P01' });
  expect(settleFailure(new Error('x'), counts.add(7, new Error('x')), 2).kind).toBe('retry');
  expect(settleFailure(new Error('x'), counts.add(7, new Error('x')), 2).kind).toBe('dead-letter');
});

test('only so many messages are remembered, those that failed last', () => {
  const counts = new FailureCounts(2);
  counts.add(1, new Error('x'));
  counts.add(2, new Error('x'));
  counts.add(1, new Error('x'));
  counts.add(3, new Error('x'));
  expect([counts.add(1, new Error('x')).all, counts.add(2, new Error('x')).all]).toEqual([3, 1]);
});
