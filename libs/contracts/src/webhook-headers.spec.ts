import { expect, test } from '@jest/globals';
import { fieldFault } from './fault.js';
import { headerMask, webhookHeaderFaults } from './webhook-headers.js';

const faults = (headers: Record<string, string>) => webhookHeaderFaults(headers).map(fieldFault).map(({ pointer, code }) => `${pointer} ${code}`);

test.each([
  'Content-Type', 'content-length', 'Host', 'Connection', 'Transfer-Encoding', 'User-Agent', 'webhook-id', 'Webhook-Signature', 'X-Webhook-Event',
  'traceparent', 'tracestate', 'Expect', 'Upgrade', 'Proxy-Authorization',
])('%s is the system’s to set', (name) => {
  expect(faults({ [name]: 'x' })).toEqual([`/${name} reserved_header`]);
});

test.each([
  ['X Y', '/X Y'],
  ['', '/'],
  ['X:', '/X:'],
  ['a/b', '/a~1b'],
  ['Größe', '/Größe'],
  ['X\r\nY', '/X\r\nY'],
])('%j is no name of a header', (name, pointer) => {
  expect(faults({ [name]: 'x' })).toEqual([`${pointer} invalid_header_name`]);
});

test.each(['a\r\nX-Injected: 1', 'a\nb', 'a\0', ' a', 'a ', 'ü', 'a\x7f'])('%j is no value of a header', (value) => {
  expect(faults({ 'X-A': value })).toEqual(['/X-A invalid_header_value']);
});

test('names and values that HTTP allows pass', () => {
  expect(faults({ Authorization: 'Bearer a.b-c==', "x!#$%&'*+-.^_`|~9": 'a b\tc', 'X-Empty': '' })).toEqual([]);
});

test('twenty headers and 2 KiB in all are the most', () => {
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${index}`, 'v']));
  expect([faults(many(20)), faults(many(21))]).toEqual([[], [' too_many']]);
  expect([faults({ 'x-a': 'v'.repeat(2_045) }), faults({ 'x-a': 'v'.repeat(2_046) })]).toEqual([[], [' too_big']]);
});

test('one header in two spellings is refused', () => {
  expect(faults({ 'X-A': '1', 'x-a': '2' })).toEqual(['/x-a repeated_header']);
});

test('the mask is not taken for a value', () => {
  expect(faults({ authorization: headerMask })).toEqual(['/authorization masked_value']);
});
