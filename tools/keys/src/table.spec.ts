import { expect, test } from '@jest/globals';
import { table } from './table.js';

test('what would steer the terminal does not get there', () => {
  expect(table([{ name: 'a\u001b[2J\u0007b' }], ['name'])).toBe('name\na?[2J?b');
});

test('columns are as wide as what is in them, and what is unset is a dash', () => {
  const rows = [
    { id: 'key_1', name: 'CI', owners: ['a', 'b'] },
    { id: 'key_22', name: null, owners: [] },
  ];
  expect(table(rows, ['id', 'name', 'owners'])).toBe('id      name  owners\nkey_1   CI    a,b\nkey_22  -     -');
});
