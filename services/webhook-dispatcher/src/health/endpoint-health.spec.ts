import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { afterAttempts, type AttemptOutcome, type EndpointHealth, type HealthPolicy } from './endpoint-health.js';

const policy: HealthPolicy = { disableAfterMs: 72 * 3_600_000, minFailedAttempts: 20 };
const start = new Date('2026-03-01T00:00:00Z');
const healthy: EndpointHealth = { status: 'enabled', failingSince: null, failedAttempts: 0, warnings: 0, toldSince: null, failedBefore: 0 };

const after = (hours: number, ms = 0) => new Date(start.getTime() + hours * 3_600_000 + ms);
const failure = (at: Date): AttemptOutcome => ({ at, succeeded: false, gone: false, responseCode: 503 });
const timeout = (at: Date): AttemptOutcome => ({ at, succeeded: false, gone: false, error: 'timeout' });
const gone = (at: Date): AttemptOutcome => ({ at, succeeded: false, gone: true, responseCode: 410 });
const success = (at: Date): AttemptOutcome => ({ at, succeeded: true, gone: false, responseCode: 200 });
/** Failing since the start, with one failure less than `failedAttempts`: the next one is the one in question. */
const failing = (failedAttempts: number, warnings: number): EndpointHealth => {
  return { ...healthy, failingSince: start, failedAttempts: failedAttempts - 1, warnings, toldSince: warnings > 0 ? start : null };
};
const judged = (health: EndpointHealth, outcome: AttemptOutcome, by = policy) => {
  const { health: next, signals } = afterAttempts(health, [outcome], by);
  return [next.status, next.warnings, signals.map(({ kind }) => kind).join()];
};

test('the first failure is remembered with its time and tells nobody', () => {
  const health = { ...healthy, failingSince: start, failedAttempts: 1 };
  expect(afterAttempts(healthy, [failure(start)], policy)).toEqual({ health, signals: [] });
});

test.each([
  ['just before a third of the time', failing(10, 0), after(24, -1), ['enabled', 0, '']],
  ['at a third of the time', failing(10, 0), after(24), ['enabled', 1, 'failing']],
  ['at a third of the time with 6 of 6⅔ failures', failing(6, 0), after(24), ['enabled', 0, '']],
  ['at a third of the time with the 7th failure', failing(7, 0), after(24), ['enabled', 1, 'failing']],
  ['after a third when warned already', failing(11, 1), after(30), ['enabled', 1, '']],
  ['just before two thirds', failing(15, 1), after(48, -1), ['enabled', 1, '']],
  ['at two thirds', failing(15, 1), after(48), ['enabled', 2, 'failing']],
  ['at two thirds with 13 of 13⅓ failures', failing(13, 1), after(48), ['enabled', 1, '']],
  ['at two thirds with the 14th failure', failing(14, 1), after(48), ['enabled', 2, 'failing']],
  ['when both warnings are due at once', failing(15, 0), after(50), ['enabled', 2, 'failing']],
  ['just before the whole time', failing(30, 2), after(72, -1), ['enabled', 2, '']],
  ['at the whole time', failing(30, 2), after(72), ['disabled', 2, 'disabled']],
  ['after the whole time with 19 failures', failing(19, 2), after(500), ['enabled', 2, '']],
  ['after the whole time with the 20th failure', failing(20, 2), after(500), ['disabled', 2, 'disabled']],
  ['when all of it is due at once', failing(20, 0), after(80), ['disabled', 0, 'disabled']],
])('a failure %s', (_when, health, at, expected) => {
  expect(judged(health, failure(at))).toEqual(expected);
});

test('an operator who asks for a single failure still gets the time', () => {
  const strict = { ...policy, minFailedAttempts: 1 };
  expect(judged(healthy, failure(start), strict)).toEqual(['enabled', 0, '']);
  expect(judged(failing(2, 0), failure(after(24)), strict)).toEqual(['enabled', 1, 'failing']);
  expect(judged(failing(2, 0), failure(after(72)), strict)).toEqual(['disabled', 0, 'disabled']);
});

test('a warning says since when, how often, with what, and when the endpoint may be disabled', () => {
  const { signals } = afterAttempts(failing(9, 0), [timeout(after(25))], policy);
  expect(signals).toEqual([
    { kind: 'failing', warning: 1, at: after(25), failingSince: start, failedAttempts: 9, error: 'timeout', disabledAtEarliest: after(72) },
  ]);
});

test('a warning never names a time of disabling that is over', () => {
  const { signals } = afterAttempts(failing(14, 1), [failure(after(100))], policy);
  expect(signals).toMatchObject([{ warning: 2, disabledAtEarliest: after(100) }]);
});

test.each(['proxy_error', 'secret_unavailable'])('%s is our own fault, and counts neither for nor against an endpoint', (error) => {
  const health = failing(30, 2);
  expect(afterAttempts(health, [{ at: after(100), succeeded: false, gone: false, error }], policy)).toEqual({ health, signals: [] });
});

test('410 disables at once and says so', () => {
  const { health, signals } = afterAttempts(healthy, [gone(start)], policy);
  expect(health.status).toBe('disabled');
  expect(signals).toMatchObject([{ kind: 'disabled', cause: 'gone', reason: 'The endpoint answered 410 Gone.' }]);
});

test('the reason of a disabling names the time and the number of failures', () => {
  const { signals } = afterAttempts(failing(25, 2), [failure(after(72))], policy);
  expect(signals).toMatchObject([{ cause: 'no_success', reason: 'No attempt has succeeded since 2026-03-01T00:00:00.000Z; 25 failed.' }]);
});

test('a success clears everything and tells those who had been warned', () => {
  expect(afterAttempts(failing(9, 1), [success(after(30))], policy)).toEqual({
    health: healthy,
    signals: [{ kind: 'recovered', at: after(30), failingSince: start, failedAttempts: 8 }],
  });
  expect(afterAttempts(failing(9, 0), [success(after(1))], policy)).toEqual({ health: healthy, signals: [] });
  expect(afterAttempts(healthy, [success(start)], policy)).toEqual({ health: healthy, signals: [] });
});

test('who was told of a disabling is told of the recovery after the enabling, of all that failed', () => {
  const { health: disabled } = afterAttempts(failing(20, 2), [failure(after(72))], policy);
  const enabled: EndpointHealth = { ...disabled, status: 'enabled', failingSince: null, failedAttempts: 0, warnings: 0, failedBefore: 20 };
  const { health: wavering, signals } = afterAttempts(enabled, [failure(after(90))], policy);
  expect(signals).toEqual([]);
  for (const [before, failedAttempts] of [[enabled, 20], [wavering, 21]] as const) {
    expect(afterAttempts(before, [success(after(91))], policy)).toEqual({
      health: healthy,
      signals: [{ kind: 'recovered', at: after(91), failingSince: start, failedAttempts }],
    });
  }
});

test('a failure that is recorded late moves the beginning back', () => {
  const { health } = afterAttempts(healthy, [failure(after(2)), failure(after(1))], policy);
  expect(health.failingSince).toEqual(after(1));
});

const outcome = fc
  .record({ hours: fc.integer({ min: 0, max: 400 }), make: fc.constantFrom(success, failure, failure, failure, timeout, gone) })
  .map(({ hours, make }) => make(after(hours)));
const failureOnly = fc.integer({ min: 0, max: 200 }).map((hours) => failure(after(hours)));
const anyPolicy = fc.record({
  disableAfterMs: fc.integer({ min: 1, max: 300 }).map((hours) => hours * 3_600_000),
  minFailedAttempts: fc.integer({ min: 1, max: 30 }),
});
const anyHealth = fc.record({
  status: fc.constantFrom('enabled' as const, 'disabled' as const),
  failingSince: fc.constantFrom(null, start),
  failedAttempts: fc.integer({ min: 0, max: 40 }),
  warnings: fc.integer({ min: 0, max: 2 }),
  toldSince: fc.constantFrom(null, start),
  failedBefore: fc.integer({ min: 0, max: 40 }),
});

test('how outcomes are cut into batches makes no difference', () => {
  fc.assert(
    fc.property(anyHealth, fc.array(outcome), fc.array(outcome), anyPolicy, (health, first, second, by) => {
      const whole = afterAttempts(health, [...first, ...second], by);
      const one = afterAttempts(health, first, by);
      const two = afterAttempts(one.health, second, by);
      expect(whole).toEqual({ health: two.health, signals: [...one.signals, ...two.signals] });
    }),
  );
});

test('a disabled endpoint stays as it is, whatever its attempts do', () => {
  fc.assert(
    fc.property(anyHealth, fc.array(outcome), anyPolicy, (health, outcomes, by) => {
      const disabled = { ...health, status: 'disabled' as const };
      expect(afterAttempts(disabled, outcomes, by)).toEqual({ health: disabled, signals: [] });
    }),
  );
});

test('an endpoint whose last attempt succeeded is healthy unless it was disabled before', () => {
  fc.assert(
    fc.property(fc.array(outcome), anyPolicy, (outcomes, by) => {
      const { health } = afterAttempts(healthy, [...outcomes, success(after(500))], by);
      if (health.status === 'enabled') expect(health).toEqual(healthy);
    }),
  );
});

test('a period of failures brings each signal once, in order, and ends with the disabling it deserves', () => {
  fc.assert(
    fc.property(fc.array(failureOnly, { minLength: 1, maxLength: 60 }), anyPolicy, (failures, by) => {
      failures.sort((a, b) => a.at.getTime() - b.at.getTime());
      const { health, signals } = afterAttempts(healthy, failures, by);
      const told = signals.map((signal) => (signal.kind === 'failing' ? signal.warning : 3));
      expect(told).toEqual([...new Set(told)].sort());
      const elapsed = failures.at(-1)!.at.getTime() - failures[0]!.at.getTime();
      expect(health.status).toBe(elapsed >= by.disableAfterMs && failures.length >= by.minFailedAttempts ? 'disabled' : 'enabled');
    }),
  );
});
