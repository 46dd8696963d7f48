import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { fieldFaults } from './field-faults.js';

const schema = z.strictObject({
  name: z.string().max(3),
  kind: z.enum(['a', 'b']),
  tags: z.array(z.string().refine((tag) => tag !== 'x', { error: 'Not x.', params: { code: 'no_x' } })).optional(),
});

function faults(input: unknown, prefix?: string) {
  const { error } = schema.safeParse(input);
  return fieldFaults(error?.issues ?? [], input, prefix).map(({ pointer, code }) => `${pointer} ${code}`);
}

test('a missing field is required, and one of another type is of another type', () => {
  expect(faults({})).toEqual(['/name required', '/kind required']);
  expect(faults({ name: 1, kind: null })).toEqual(['/name invalid_type', '/kind invalid_value']);
  expect(faults(undefined)).toEqual([' required']);
  expect(faults([])).toEqual([' invalid_type']);
});

test('every unknown field is named, with its name escaped', () => {
  expect(faults({ name: 'a', kind: 'a', x: 1, 'a/b~c': 2 })).toEqual(['/x unknown_field', '/a~1b~0c unknown_field']);
});

test('a rule of the schema goes by its own code, at its own place', () => {
  expect(faults({ name: 'long', kind: 'a', tags: ['y', 'x'] }, '/hits/3')).toEqual(['/hits/3/name too_big', '/hits/3/tags/1 no_x']);
});

test('a thousand faults are told by the first fifty', () => {
  const unknown = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`f${i}`, 0]));
  expect(faults({ name: 'a', kind: 'a', ...unknown })).toHaveLength(50);
});
