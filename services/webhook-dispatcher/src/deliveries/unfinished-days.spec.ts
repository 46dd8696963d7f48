import { expect, test } from '@jest/globals';
import { isWithin, stretchesOf } from './unfinished-days.js';

const march = (...days: number[]) => days.map((day) => new Date(Date.UTC(2026, 2, day)));
const stretch = (from: number, to: number) => ({ since: new Date(Date.UTC(2026, 2, from)), until: new Date(Date.UTC(2026, 2, to + 1)) });

test.each([
  ['none', march(), []],
  ['days in a row are one stretch', march(5, 6, 7), [stretch(5, 7)]],
  ['an old day besides', march(1, 6, 7), [stretch(1, 1), stretch(6, 7)]],
  ['over the end of a month', march(31, 32), [stretch(31, 32)]],
  ['as many as may stand apart', march(1, 3, 5, 6), [stretch(1, 1), stretch(3, 3), stretch(5, 6)]],
  ['more than may stand apart', march(1, 3, 5, 7), [stretch(1, 7)]],
])('%s', (_, days, expected) => {
  expect(stretchesOf(days)).toEqual(expected);
});

test('the condition names each stretch, and nothing lies within none', () => {
  expect(isWithin('d.event_at', [stretch(1, 1), stretch(6, 7)])).toBe(
    `(d.event_at >= '2026-03-01T00:00:00.000Z' AND d.event_at < '2026-03-02T00:00:00.000Z' OR d.event_at >= '2026-03-06T00:00:00.000Z' AND d.event_at < '2026-03-08T00:00:00.000Z')`,
  );
  expect(isWithin('d.event_at', [])).toBe('false');
});
