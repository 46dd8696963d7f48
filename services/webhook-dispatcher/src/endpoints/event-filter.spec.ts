import { expect, test } from '@jest/globals';
import { wants, wantsEvent } from './event-filter.js';

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

const filter = { endpointId: 'we_1', eventTypes: ['*'], pageIds: ['page_1', 'page_2'] };

test('an endpoint that names pages hears of them, and of what is about no page', () => {
  expect(wants(filter, 'page.created', { pageId: 'page_2' })).toBe(true);
  expect(wants(filter, 'page.created', { pageId: 'page_3' })).toBe(false);
  expect(wants(filter, 'key.created', {})).toBe(true);
  expect(wants({ ...filter, pageIds: [] }, 'page.created', { pageId: 'page_3' })).toBe(true);
  expect(wants({ ...filter, eventTypes: ['goal.*'] }, 'page.created', { pageId: 'page_2' })).toBe(false);
});

test('an endpoint hears of the health of others and not of its own', () => {
  expect(wants(filter, 'webhook.endpoint.failing', { endpointId: 'we_2' })).toBe(true);
  expect(wants(filter, 'webhook.endpoint.failing', { endpointId: 'we_1' })).toBe(false);
});
