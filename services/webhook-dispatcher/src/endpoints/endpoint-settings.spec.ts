import { expect, test } from '@jest/globals';
import { ServiceError } from '@na/service-error';
import { changedSettings, newSettings, type WantedSettings } from './endpoint-settings.js';
import { parseCidrs } from './target-address.js';

const nothing: WantedSettings = { url: '', description: '', eventTypes: [], pageIds: [], headers: {}, ordered: false };
const wanted: WantedSettings = { ...nothing, url: 'https://example.com/hook', eventTypes: ['goal.*'], headers: { 'X-Team': 'web', Authorization: 'a' }, timeoutMs: 5_000 };
const allowed = parseCidrs([]);
const current = newSettings(wanted, allowed);

test('what is not asked for takes its default', () => {
  const defaults = { retryPolicy: { baseSeconds: 5, factor: 4, maxSeconds: 43_200, maxAttempts: 12 }, rateLimitPerSecond: null, maxInFlight: null, ordered: false };
  expect(newSettings({ ...wanted, timeoutMs: undefined }, allowed)).toMatchObject({ ...defaults, timeoutMs: 15_000 });
  const policy = { baseSeconds: 0, factor: 0, maxSeconds: 0, maxAttempts: 3 };
  expect(newSettings({ ...wanted, retryPolicy: policy }, allowed).retryPolicy).toEqual({ ...defaults.retryPolicy, maxAttempts: 3 });
});

test('only the named settings change, and one that is unset takes its default', () => {
  expect(changedSettings(current, { ...nothing, url: 'https://example.com/new' }, ['url'], allowed)).toEqual({ ...current, url: 'https://example.com/new' });
  expect(changedSettings(current, nothing, ['timeout_ms'], allowed)).toEqual({ ...current, timeoutMs: 15_000 });
  expect(changedSettings(current, nothing, [], allowed)).toEqual(current);
  expect(current.timeoutMs).toBe(5_000);
});

test('a single header is set or taken away, the others stay', () => {
  expect(changedSettings(current, { ...nothing, headers: { 'X-New': '1' } }, ['headers.X-New', 'headers.X-Team'], allowed).headers).toEqual({ authorization: 'a', 'x-new': '1' });
  expect(changedSettings(current, { ...nothing, headers: { 'x.y': '1' } }, ['headers.x.y'], allowed).headers).toEqual({ ...current.headers, 'x.y': '1' });
  expect(changedSettings(current, nothing, ['headers'], allowed).headers).toEqual({});
});

test('a single field of the retry policy changes, the others stay', () => {
  const retryPolicy = { baseSeconds: 0, factor: 0, maxSeconds: 0, maxAttempts: 3 };
  const changed = changedSettings(current, { ...nothing, retryPolicy }, ['retry_policy.max_attempts'], allowed);
  expect(changedSettings(changed, nothing, ['retry_policy.factor'], allowed).retryPolicy).toEqual({ ...current.retryPolicy, maxAttempts: 3 });
});

test('the bound on headers holds for what there is after a change', () => {
  const headers = (from: number, count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${from + index}`, 'v']));
  const full = newSettings({ ...wanted, headers: headers(0, 20) }, allowed);
  expect(() => changedSettings(full, { ...nothing, headers: headers(20, 1) }, ['headers.x-20'], allowed)).toThrow(ServiceError);
});

test.each(['colour', 'headers_', 'retry_policy.colour', 'url.path', 'constructor'])('%s is no setting', (field) => {
  expect(() => changedSettings(current, nothing, [field], allowed)).toThrow(`no setting ${field}`);
});

test('every fault is named', () => {
  const attempt = () => newSettings({ ...wanted, eventTypes: ['goal.*', 'gaol.*'], headers: { Host: 'x' } }, allowed);
  expect(attempt).toThrow(expect.objectContaining({ fields: [expect.objectContaining({ pointer: '/event_types/1' }), expect.objectContaining({ pointer: '/headers/Host' })] }));
});

test('all that is wrong is named at once, whichever settings it is in', () => {
  const retryPolicy = { baseSeconds: 60, factor: 2, maxSeconds: 30, maxAttempts: 3 };
  const attempt = () => newSettings({ ...wanted, url: 'http://10.0.0.1/', eventTypes: ['gaol.*'], headers: { Host: 'x' }, retryPolicy }, allowed);
  const pointers = ['/url', '/event_types/0', '/headers/Host', '/retry_policy/max_seconds'];
  expect(attempt).toThrow(expect.objectContaining({ fields: pointers.map((pointer) => expect.objectContaining({ pointer })) }));
});

test('of a change too all that is wrong is named at once, headers that are too many together among it', () => {
  const headers = { Host: 'x', 'x-big': 'v'.repeat(2_048) };
  const attempt = () => changedSettings(current, { ...nothing, url: 'http://10.0.0.1/#a', eventTypes: ['nope'], headers }, ['url', 'event_types', 'headers.Host', 'headers.x-big'], allowed);
  const faults = ['/url not_allowed', '/url address_blocked', '/event_types/0 unknown_event_type', '/headers/Host reserved_header', '/headers too_big'];
  expect(attempt).toThrow(expect.objectContaining({ fields: faults.map((fault) => expect.objectContaining({ pointer: fault.split(' ')[0], code: fault.split(' ')[1] })) }));
});

test('the longest wait is not shorter than the first, whichever of the two is changed', () => {
  const change = (policy: { baseSeconds: number; maxSeconds: number }, field: string) =>
    changedSettings(current, { ...nothing, retryPolicy: { factor: 0, maxAttempts: 0, ...policy } }, [`retry_policy.${field}`], allowed);
  const refusal = expect.objectContaining({ fields: [expect.objectContaining({ pointer: '/retry_policy/max_seconds' })] });
  expect(() => change({ baseSeconds: 0, maxSeconds: 4 }, 'max_seconds')).toThrow(refusal);
  expect(() => change({ baseSeconds: 43_201, maxSeconds: 0 }, 'base_seconds')).toThrow(refusal);
  expect(change({ baseSeconds: 43_200, maxSeconds: 0 }, 'base_seconds').retryPolicy).toMatchObject({ baseSeconds: 43_200, maxSeconds: 43_200 });
});

test('an ordered webhook with more than one request in flight is refused, whichever of the two is changed', () => {
  const refusal = expect.objectContaining({ fields: [expect.objectContaining({ pointer: '/max_in_flight', code: 'not_allowed', detail: expect.stringMatching(/would be 5/) })] });
  expect(() => newSettings({ ...wanted, ordered: true, maxInFlight: 5 }, allowed)).toThrow(refusal);
  expect(() => changedSettings({ ...current, maxInFlight: 5 }, { ...nothing, ordered: true }, ['ordered'], allowed)).toThrow(refusal);
  expect(() => changedSettings({ ...current, ordered: true }, { ...nothing, maxInFlight: 5 }, ['max_in_flight'], allowed)).toThrow(refusal);
});

test('an ordered webhook may say that it has one request in flight, or nothing of it, and goes back to more when it is ordered no more', () => {
  expect(newSettings({ ...wanted, ordered: true, maxInFlight: 1 }, allowed)).toMatchObject({ ordered: true, maxInFlight: 1 });
  const ordered = changedSettings({ ...current, maxInFlight: 5 }, { ...nothing, ordered: true }, ['ordered', 'max_in_flight'], allowed);
  expect(ordered).toMatchObject({ ordered: true, maxInFlight: null });
  expect(changedSettings(ordered, { ...nothing, maxInFlight: 5 }, ['ordered', 'max_in_flight'], allowed)).toMatchObject({ ordered: false, maxInFlight: 5 });
});

test('an event type that is named twice is kept once', () => {
  expect(newSettings({ ...wanted, eventTypes: ['goal.*', 'page.created', 'goal.*'] }, allowed).eventTypes).toEqual(['goal.*', 'page.created']);
});

test('what is not named is not judged again', () => {
  const old = { ...current, ordered: true, maxInFlight: 5, url: 'http://10.0.0.1/', retryPolicy: { ...current.retryPolicy, maxSeconds: 1 } };
  expect(changedSettings(old, { ...nothing, description: 'old' }, ['description'], allowed)).toEqual({ ...old, description: 'old' });
});
