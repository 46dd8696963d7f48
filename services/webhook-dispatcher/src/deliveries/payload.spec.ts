import { expect, test } from '@jest/globals';
import { newEvent } from '@na/contracts';
import { eventTime } from './payload.js';

const happened = (at: string) => newEvent({ type: 'page.created', workspaceId: 'ws_1', createdAt: new Date(at), data: { pageId: 'page_1' } });

test.each(['1970-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z'])('an event may happen at %s', (at) => {
  expect(eventTime(happened(at)).toISOString()).toBe(at);
});

test.each(['1969-12-31T23:59:59.999Z', '+010889-08-02T05:31:50.656Z'])('an event at %s, which no id can carry, is refused', (at) => {
  expect(() => eventTime(happened(at))).toThrow('no id can say it');
});

test('and so is one that does not say when', () => {
  expect(() => eventTime({ ...happened('2026-03-04T05:06:07Z'), createdAt: undefined })).toThrow('does not say when');
});
