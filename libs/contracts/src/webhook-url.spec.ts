import { expect, test } from '@jest/globals';
import { webhookUrlFaults } from './webhook-url.js';

test('all that is wrong with a URL is told, credentials in it without being shown', () => {
  const faults = webhookUrlFaults('https://user:pass@example..com:0/#part');
  expect(faults.map(({ path, code }) => [path, code])).toEqual([[[], 'not_allowed'], [[], 'not_allowed'], [[], 'not_allowed'], [[], 'invalid_format']]);
  expect(JSON.stringify(faults)).not.toMatch(/user:|pass@/);
});
