import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { expect, test } from '@jest/globals';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { HitSchema } from '@na/contracts';
import { hitRow } from './hit-row.js';

const at = timestampFromDate(new Date('2026-11-24T12:00:00.123Z'));

function rowOf(overrides: MessageInitShape<typeof HitSchema>) {
  return hitRow(create(HitSchema, { workspaceId: 'ws_1', id: 'hit_1', occurredAt: at, receivedAt: at, ...overrides }), ROOT_CONTEXT);
}

test('what a hit does not say is null, not an empty text', () => {
  expect(rowOf({ type: 'pageview' })).toMatchObject({ namedPageId: null, url: null, name: null, referrer: null, utm: null, props: null });
});

test('a hit carries its URL in the form its page is registered under', () => {
  expect(rowOf({ url: 'https://A.site/x/?utm_source=mail#top' }).url).toBe('https://a.site/x');
});

test('a URL that no page can have is kept as it came', () => {
  expect(rowOf({ url: 'app://settings' }).url).toBe('app://settings');
});

test('the one character PostgreSQL can not hold costs itself, not the hit', () => {
  const row = rowOf({ name: 'sign\0up', props: { 'pl\0an': 'p\0\0ro', literal: '\\u0000' } });
  expect(row.name).toBe('signup');
  expect(JSON.parse(row.props!)).toEqual({ plan: 'pro', literal: '\\u0000' });
});

test.each(['workspaceId', 'id', 'occurredAt', 'receivedAt'] as const)('a hit without %s is refused', (field) => {
  expect(() => rowOf({ [field]: undefined })).toThrow('must have');
});
