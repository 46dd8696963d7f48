import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { expect, test } from '@jest/globals';
import { etagOf, ifMatchHolds, ifNoneMatchHolds } from './etag.js';
import { KeySchema, WorkspaceSchema } from './gen/keys/v1/keys_pb.js';
import { EndpointSchema } from './gen/webhooks/v1/endpoints_pb.js';

const tagOf = (name: string) => etagOf(WorkspaceSchema, create(WorkspaceSchema, { id: 'ws_1', name }));
const tagOfKey = (name: string, lastUsedAt: string) => etagOf(KeySchema, create(KeySchema, { name, lastUsedAt: timestampFromDate(new Date(lastUsedAt)) }));

test('what looks the same has the same tag, and what differs has another', () => {
  expect(tagOf('Acme')).toMatch(/^"[\w-]{22}\.[\w-]{22}"$/);
  expect(tagOf('Acme')).toBe(tagOf('Acme'));
  expect(tagOf('Acme')).not.toBe(tagOf('Acne'));
});

test('the order in which a map is kept makes no difference', () => {
  const tag = (headers: Record<string, string>) => etagOf(EndpointSchema, create(EndpointSchema, { headers }));
  expect(tag({ b: '1', a: '2' })).toBe(tag({ a: '2', b: '1' }));
  expect(tag({ b: '1', a: '2' })).not.toBe(tag({ a: '1', b: '2' }));
});

test('If-Match takes a tag, one of several, or any; a weak tag and half a tag match nothing', () => {
  const tag = tagOf('Acme');
  for (const header of [tag, ` ${tag} `, `"x", ${tag}`, '*']) expect(ifMatchHolds(header, tag)).toBe(true);
  for (const header of ['"x"', `W/${tag}`, '', tag.slice(1), `${tag.slice(0, 23)}"`, tagOf('Acne')]) expect(ifMatchHolds(header, tag)).toBe(false);
});

test('If-None-Match takes weak tags for equal', () => {
  const tag = tagOf('Acme');
  for (const header of [tag, `W/${tag}`, `"x",${tag}`, '*']) expect(ifNoneMatchHolds(header, tag)).toBe(false);
  expect(ifNoneMatchHolds('"x"', tag)).toBe(true);
});

test('a key that was only used meanwhile may be changed by whoever read it, but has to be read again', () => {
  const [read, used, renamed] = [tagOfKey('CI', '2026-03-01'), tagOfKey('CI', '2026-03-02'), tagOfKey('CD', '2026-03-02')];
  expect([ifMatchHolds(read, used), ifNoneMatchHolds(read, used)]).toEqual([true, true]);
  expect(ifMatchHolds(read, renamed)).toBe(false);
});

test('a webhook that asked for a pause meanwhile may be changed by whoever read it', () => {
  const tag = (pausedUntil?: Date) => etagOf(EndpointSchema, create(EndpointSchema, { pausedUntil: pausedUntil && timestampFromDate(pausedUntil) }));
  expect(ifMatchHolds(tag(), tag(new Date('2026-03-01')))).toBe(true);
});
