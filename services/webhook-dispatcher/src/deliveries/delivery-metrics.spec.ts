import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { outcomeClass } from './delivery-metrics.js';
import type { Outcome } from './outcome.js';

test.each([
  [{ kind: 'answered', status: 204 }, '2xx'],
  [{ kind: 'answered', status: 308 }, '3xx'],
  [{ kind: 'answered', status: 410 }, '4xx'],
  [{ kind: 'unanswered', error: 'tls_error' }, 'tls_error'],
])('%j counts as %s', (outcome, counted) => {
  expect(outcomeClass(outcome as Outcome)).toBe(counted);
});

test('whatever status a server makes up, there are nine classes of them', () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 999 }), (status) => {
      expect(outcomeClass({ kind: 'answered', status } as Outcome)).toMatch(/^[1-9]xx$/);
    }),
  );
});
