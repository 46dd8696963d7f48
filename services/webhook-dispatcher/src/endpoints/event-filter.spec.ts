import { expect, test } from '@jest/globals';
import { unknownPatterns, wantsEvent } from './event-filter.js';

test.each([
  ['goal.converted', 'goal.converted', true],
  ['goal.*', 'goal.converted', true],
  ['webhook.*', 'webhook.endpoint.disabled', true],
  ['*', 'page.created', true],
  ['goal.*', 'goals.converted', false],
  ['goal.*', 'goal', false],
  ['goal', 'goal.converted', false],
  ['page.created', 'page.updated', false],
])('an endpoint of %s hears of %s: %s', (pattern, type, wanted) => {
  expect(wantsEvent([pattern], type)).toBe(wanted);
});

test('an endpoint without event types hears of nothing', () => {
  expect(wantsEvent([], 'page.created')).toBe(false);
});

test('a pattern that no event can match is found', () => {
  expect(unknownPatterns(['goal.*', 'gaol.*', '*', 'page.crated'], ['goal.converted', 'page.created'])).toEqual(['gaol.*', 'page.crated']);
});
