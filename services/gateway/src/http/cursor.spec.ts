import { expect, test } from '@jest/globals';
import { Cursors } from './cursor.js';

const cursors = new Cursors(Buffer.alloc(32, 1));
const scope = ['pages', 'ws_1', { status: 'failed' }];
const cursor = cursors.seal('page_9', scope);

test('a cursor leads to where it was made for', () => {
  expect(cursors.open(cursor, scope)).toBe('page_9');
});

test('a cursor is good for its own list, workspace and filters only', () => {
  expect(cursors.open(cursor, ['goals', 'ws_1', { status: 'failed' }])).toBeNull();
  expect(cursors.open(cursor, ['pages', 'ws_2', { status: 'failed' }])).toBeNull();
  expect(cursors.open(cursor, ['pages', 'ws_1', {}])).toBeNull();
});

test('a cursor in which any one character is another leads nowhere', () => {
  for (let i = 0; i < cursor.length - 1; i++) {
    const changed = cursor[i] === 'A' ? 'B' : 'A';
    expect(cursors.open(cursor.slice(0, i) + changed + cursor.slice(i + 1), scope)).toBeNull();
  }
});

test('what is no cursor, and what another installation made, leads nowhere', () => {
  for (const text of ['', 'x', '!!', 'eyJhZnRlciI6InBhZ2VfOSJ9']) expect(cursors.open(text, scope)).toBeNull();
  expect(new Cursors(Buffer.alloc(32, 2)).open(cursor, scope)).toBeNull();
});
