import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { inPlainWords } from './plain-words.js';

test.each<[string, z.ZodType, unknown, string]>([
  ['a part of a number', z.int(), 1.5, 'Must be a whole number.'],
  ['a text for a whole number', z.int(), '1', 'Must be a number.'],
  ['a number for a text', z.string(), 1, 'Must be text.'],
  ['a text for a switch', z.boolean(), 'yes', 'Must be true or false.'],
  ['a text for a list', z.array(z.string()), 'a', 'Must be a list.'],
  ['a list for an object', z.strictObject({}), [], 'Must be an object.'],
  ['a text for named values', z.record(z.string(), z.string()), 'a', 'Must be an object.'],
  ['nothing of what is offered', z.enum(['asc', 'desc']), 'up', 'Must be one of asc, desc.'],
  ['too small a number', z.int().min(1_000), 999, 'Must be at least 1000.'],
  ['too big a number', z.number().max(10), 10.5, 'Must be at most 10.'],
  ['no text', z.string().min(1), '', 'Must not be empty.'],
  ['too long a text', z.string().max(3), 'long', 'Must have at most 3 characters.'],
  ['too short a text', z.string().min(2), 'a', 'Must have at least 2 characters.'],
  ['an empty list', z.array(z.string()).min(1), [], 'Must not be empty.'],
  ['too long a list', z.array(z.string()).max(1), ['a', 'b'], 'Must have at most 1 entry.'],
  ['what is no address', z.email(), 'you', 'Must be an e-mail address.'],
])('%s is told of in plain words', (_name, schema, value, words) => {
  expect(schema.safeParse(value, inPlainWords).error!.issues.map(({ message }) => message)).toEqual([words]);
});

test("a schema's own words go before", () => {
  expect(z.string('Must be a name.').safeParse(1, inPlainWords).error!.issues[0]!.message).toBe('Must be a name.');
});
