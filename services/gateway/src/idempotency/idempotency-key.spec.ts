import { expect, test } from '@jest/globals';
import { fingerprintOf, readIdempotencyKey } from './idempotency-key.js';

test('a key is the same bare and quoted, with its escapes undone', () => {
  expect(readIdempotencyKey('8e03978e-40d5')).toBe('8e03978e-40d5');
  expect(readIdempotencyKey('"8e03978e-40d5"')).toBe('8e03978e-40d5');
  expect(readIdempotencyKey('"a\\"b\\\\c"')).toBe('a"b\\c');
});

test('a quote that is not closed, or stands inside, belongs to the key', () => {
  expect(readIdempotencyKey('"a')).toBe('"a');
  expect(readIdempotencyKey('a"b')).toBe('a"b');
});

test.each(['', '""', 'a b', 'a, b', 'grün', 'a\x7f', 'x'.repeat(256), `"${'x'.repeat(256)}"`])('%p is refused', (header) => {
  expect(() => readIdempotencyKey(header)).toThrow('Idempotency-Key must be');
});

test('255 characters are allowed, quoted too', () => {
  expect(readIdempotencyKey('x'.repeat(255))).toHaveLength(255);
  expect(readIdempotencyKey(`"${'x'.repeat(255)}"`)).toHaveLength(255);
});

test('requests differ by method, address and body', () => {
  const body = Buffer.alloc(32, 1);
  const prints = [
    fingerprintOf('POST', '/a', body),
    fingerprintOf('PUT', '/a', body),
    fingerprintOf('POST', '/b', body),
    fingerprintOf('POST', '/a', Buffer.alloc(32, 2)),
    fingerprintOf('POST', '/a', undefined),
  ];
  expect(new Set(prints.map((print) => print.toString('hex'))).size).toBe(prints.length);
  expect(fingerprintOf('POST', '/a', body)).toEqual(prints[0]);
});
