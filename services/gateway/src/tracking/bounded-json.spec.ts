import { expect, test } from '@jest/globals';
import { jsonFault } from './bounded-json.js';

const bounds = { maxDepth: 2, maxEntries: 3, maxTextLength: 5 };

test('what is within the bounds has no fault', () => {
  expect(jsonFault({ a: { b: 'short' }, c: null }, bounds)).toBeNull();
  expect(jsonFault({}, bounds)).toBeNull();
});

test('each bound is kept', () => {
  expect(jsonFault({ a: { b: {} } }, bounds)).toContain('nested deeper');
  expect(jsonFault({ a: [1, 2, 3] }, bounds)).toContain('more than 3 entries');
  expect(jsonFault({ a: 'longer' }, bounds)).toContain('at most 5 characters');
  expect(jsonFault({ longer: 1 }, bounds)).toContain('at most 5 characters');
});

test('a number too large for a double is a fault', () => {
  expect(jsonFault(JSON.parse('{"a":1e999}'), bounds)).toBe('Numbers must be finite.');
});

test('what a database can not store is a fault, in names too', () => {
  expect(jsonFault({ a: '\0' }, bounds)).toContain('U+0000');
  expect(jsonFault({ '\ud800': 1 }, bounds)).toContain('surrogate');
});

test('a value nested a hundred thousand levels deep is refused like any other', () => {
  const deep = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as unknown;
  expect(jsonFault({ a: deep }, bounds)).toContain('nested deeper');
});
