import { expect, test } from '@jest/globals';
import { eventPatternFaults } from './event-pattern.js';

test('a pattern that no event can match is found', () => {
  const patterns = ['goal.*', 'gaol.*', '*', 'page.crated', 'page.created', 'webhook.endpoint.*', 'goal'];
  expect(patterns.filter((pattern) => eventPatternFaults(pattern).length > 0)).toEqual(['gaol.*', 'page.crated', 'goal']);
});
