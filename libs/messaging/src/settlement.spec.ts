import { expect, test } from '@jest/globals';
import { ServiceError } from '@na/service-error';
import { settleFailure } from './settlement.js';

test.each([
  [1, 500],
  [2, 1_000],
  [5, 8_000],
  [9, 30_000],
])('after try %i a message waits %i ms', (tries, delayMs) => {
  expect(settleFailure(new Error('x'), tries, 10)).toEqual({ kind: 'retry', delayMs });
});

test('the last try sends a message to the dead-letter stream', () => {
  expect(settleFailure(new Error('x'), 10, 10)).toEqual({ kind: 'dead-letter' });
});

test('a message that its handler calls invalid is not tried again', () => {
  expect(settleFailure(new ServiceError('invalid_request', ''), 1, 10)).toEqual({ kind: 'dead-letter' });
});

test.each([{ code: '57P01' }, { code: '08006' }, { code: 'ECONNREFUSED' }, new ServiceError('unavailable', ''), new Error('Connection terminated unexpectedly')])(
  'a message is never given up because a dependency is down: %p',
  (error) => {
    expect(settleFailure(error, 99, 10)).toEqual({ kind: 'retry', delayMs: 30_000 });
  },
);
