import { expect, test } from '@jest/globals';
import { daysAround, searchWindows } from './search-windows.js';

const now = new Date('2026-03-10T12:00:00Z');
const at = (time: string) => new Date(`2026-${time}Z`);

test('the first page is looked for today and yesterday, then everywhere', () => {
  expect(searchWindows({}, undefined, now)).toEqual([{ since: at('03-09T00:00:00') }, {}]);
});

test('a later page is looked for around where the one before ended, that moment included', () => {
  const until = at('02-03T04:00:00.001');
  expect(searchWindows({}, at('02-03T04:00:00'), now)).toEqual([{ since: at('02-02T00:00:00'), until }, { until }]);
});

test('what was asked for bounds both, and a window that is small anyway is searched once', () => {
  const [since, until] = [at('01-01T00:00:00'), at('02-03T04:00:00')];
  expect(searchWindows({ since, until }, undefined, now)).toEqual([{ since: at('02-02T00:00:00'), until }, { since, until }]);
  expect(searchWindows({ since: at('03-09T05:00:00') }, undefined, now)).toEqual([{ since: at('03-09T05:00:00') }]);
});

test('an end in the future does not move the search away from the newest', () => {
  const until = at('05-01T00:00:00');
  expect(searchWindows({ until }, undefined, now)).toEqual([{ since: at('03-09T00:00:00'), until }, { until }]);
});

test.each([
  ['inside a day', '03-09T05:00:00', '03-09T06:00:00', '03-09T00:00:00', '03-10T00:00:00'],
  ['exactly a day', '03-09T00:00:00', '03-10T00:00:00', '03-09T00:00:00', '03-10T00:00:00'],
  ['over midnight', '03-09T23:59:59.999', '03-10T00:00:00.001', '03-09T00:00:00', '03-11T00:00:00'],
])('the days around a window %s', (_, since, until, from, to) => {
  expect(daysAround({ since: at(since), until: at(until) })).toEqual({ since: at(from), until: at(to) });
});

test('an open end stays open', () => {
  expect(daysAround({})).toEqual({});
});
