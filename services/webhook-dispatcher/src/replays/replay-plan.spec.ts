import { expect, test } from '@jest/globals';
import type { ServiceError } from '@na/service-error';
import { planReplay, type WantedReplay } from './replay-plan.js';

const now = new Date('2026-03-31T12:00:00.000Z');
const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000);

function wanted(overrides: Partial<WantedReplay> = {}): WantedReplay {
  return { since: daysAgo(2), until: daysAgo(1), statuses: [], eventTypes: [], includeMissed: false, onlyMissed: false, dryRun: false, ...overrides };
}

function faultsOf(overrides: Partial<WantedReplay>): string[] {
  try {
    planReplay(wanted(overrides), now);
    return [];
  } catch (error) {
    return (error as ServiceError).fields.map(({ pointer, code }) => `${pointer} ${code}`);
  }
}

test('with nothing said, what has failed is replayed at 50 a second', () => {
  expect(planReplay(wanted(), now)).toMatchObject({ statuses: ['failed'], ratePerSecond: 50, since: daysAgo(2), until: daysAgo(1) });
});

test('what was missed can be replayed alone', () => {
  expect(planReplay(wanted({ onlyMissed: true, includeMissed: true }), now).statuses).toEqual([]);
  expect(faultsOf({ onlyMissed: true })).toEqual(['/statuses too_many']);
  expect(faultsOf({ onlyMissed: true, includeMissed: true, statuses: ['failed'] })).toEqual(['/statuses too_many']);
});

test('the window ends now at the latest', () => {
  expect(planReplay(wanted({ until: daysAgo(-1) }), now).until).toEqual(now);
});

test('a window of 31 days is the longest, counted to now', () => {
  expect(faultsOf({ since: daysAgo(31), until: daysAgo(-5) })).toEqual([]);
  expect(faultsOf({ since: new Date(daysAgo(31).getTime() - 1), until: now })).toEqual(['/since window_too_long']);
});

test.each([
  ['ends before it begins', { since: daysAgo(1), until: daysAgo(2) }],
  ['is empty', { since: daysAgo(1), until: daysAgo(1) }],
  ['lies in the future', { since: daysAgo(-1), until: daysAgo(-2) }],
])('a window that %s is refused', (_, window) => {
  expect(faultsOf(window)).toEqual(['/since invalid_window']);
});

test('every fault is named at once, with its place', () => {
  expect(faultsOf({ eventTypes: ['page.*', 'gaol.*'], statuses: ['failed', 'lost'], ratePerSecond: 0 })).toEqual([
    '/event_types/1 unknown_event_type',
    '/statuses/1 unknown_status',
    '/rate_per_second out_of_range',
  ]);
});

test.each([0, 1.5, 1_001, Number.NaN])('a rate of %p is refused', (ratePerSecond) => {
  expect(faultsOf({ ratePerSecond })).toEqual(['/rate_per_second out_of_range']);
});
