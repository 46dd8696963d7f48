import { expect, test } from '@jest/globals';
import { ServiceError } from '@na/service-error';
import { changedSettings, newSettings, type WantedSettings } from './endpoint-settings.js';

const nothing: WantedSettings = { url: '', description: '', eventTypes: [], pageIds: [], headers: {}, ordered: false };
const wanted: WantedSettings = { ...nothing, url: 'https://example.com/hook', eventTypes: ['goal.*'], headers: { 'X-Team': 'web', Authorization: 'a' }, timeoutMs: 5_000 };
const current = newSettings(wanted);

test('what is not asked for takes its default', () => {
  const defaults = { retryPolicy: { baseSeconds: 5, factor: 4, maxSeconds: 43_200, maxAttempts: 12 }, rateLimitPerSecond: null, maxInFlight: null, ordered: false };
  expect(newSettings({ ...wanted, timeoutMs: undefined })).toMatchObject({ ...defaults, timeoutMs: 15_000 });
  const policy = { baseSeconds: 0, factor: 0, maxSeconds: 0, maxAttempts: 3 };
  expect(newSettings({ ...wanted, retryPolicy: policy }).retryPolicy).toEqual({ ...defaults.retryPolicy, maxAttempts: 3 });
});

test('only the named settings change, and one that is unset takes its default', () => {
  expect(changedSettings(current, { ...nothing, url: 'https://example.com/new' }, ['url'])).toEqual({ ...current, url: 'https://example.com/new' });
  expect(changedSettings(current, nothing, ['timeout_ms'])).toEqual({ ...current, timeoutMs: 15_000 });
  expect(changedSettings(current, nothing, [])).toEqual(current);
  expect(current.timeoutMs).toBe(5_000);
});

test('a single header is set or taken away, the others stay', () => {
  expect(changedSettings(current, { ...nothing, headers: { 'X-New': '1' } }, ['headers.X-New', 'headers.X-Team']).headers).toEqual({ authorization: 'a', 'x-new': '1' });
  expect(changedSettings(current, { ...nothing, headers: { 'x.y': '1' } }, ['headers.x.y']).headers).toEqual({ ...current.headers, 'x.y': '1' });
  expect(changedSettings(current, nothing, ['headers']).headers).toEqual({});
});

test('a single field of the retry policy changes, the others stay', () => {
  const retryPolicy = { baseSeconds: 0, factor: 0, maxSeconds: 0, maxAttempts: 3 };
  const changed = changedSettings(current, { ...nothing, retryPolicy }, ['retry_policy.max_attempts']);
  expect(changedSettings(changed, nothing, ['retry_policy.factor']).retryPolicy).toEqual({ ...current.retryPolicy, maxAttempts: 3 });
});

test('the bound on headers holds for what there is after a change', () => {
  const headers = (from: number, count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${from + index}`, 'v']));
  const full = newSettings({ ...wanted, headers: headers(0, 20) });
  expect(() => changedSettings(full, { ...nothing, headers: headers(20, 1) }, ['headers.x-20'])).toThrow(ServiceError);
});

test.each(['colour', 'headers_', 'retry_policy.colour', 'url.path', 'constructor'])('%s is no setting', (field) => {
  expect(() => changedSettings(current, nothing, [field])).toThrow(`no setting ${field}`);
});

test('every fault is named', () => {
  const attempt = () => newSettings({ ...wanted, eventTypes: ['goal.*', 'gaol.*'], headers: { Host: 'x' } });
  expect(attempt).toThrow(expect.objectContaining({ fields: [expect.objectContaining({ pointer: '/event_types/1' }), expect.objectContaining({ pointer: '/headers/Host' })] }));
});
