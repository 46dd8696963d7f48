import { create } from '@bufbuild/protobuf';
import { expect, test } from '@jest/globals';
import { etagOf, ifMatchHolds, ifNoneMatchHolds } from './etag.js';
import { WorkspaceSchema } from './gen/keys/v1/keys_pb.js';

const tagOf = (name: string) => etagOf(WorkspaceSchema, create(WorkspaceSchema, { id: 'ws_1', name }));

test('what looks the same has the same tag, and what differs has another', () => {
  expect(tagOf('Acme')).toMatch(/^"[\w-]{27}"$/);
  expect(tagOf('Acme')).toBe(tagOf('Acme'));
  expect(tagOf('Acme')).not.toBe(tagOf('Acne'));
});

test('If-Match takes a tag, one of several, or any; a weak tag matches nothing', () => {
  const tag = tagOf('Acme');
  for (const header of [tag, ` ${tag} `, `"x", ${tag}`, '*']) expect(ifMatchHolds(header, tag)).toBe(true);
  for (const header of ['"x"', `W/${tag}`, '', tag.slice(1)]) expect(ifMatchHolds(header, tag)).toBe(false);
});

test('If-None-Match takes weak tags for equal', () => {
  const tag = tagOf('Acme');
  for (const header of [tag, `W/${tag}`, `"x",${tag}`, '*']) expect(ifNoneMatchHolds(header, tag)).toBe(false);
  expect(ifNoneMatchHolds('"x"', tag)).toBe(true);
});
