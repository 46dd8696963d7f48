import { expect, test } from '@jest/globals';
import { headerFaults, maskHeaders, withLowerCaseNames } from './custom-headers.js';

const faults = (headers: Record<string, string>) => headerFaults(headers).map(({ pointer, code }) => `${pointer} ${code}`);

test.each([
  'Content-Type', 'content-length', 'Host', 'Connection', 'Transfer-Encoding', 'User-Agent', 'webhook-id', 'Webhook-Signature', 'X-Webhook-Event',
  'traceparent', 'tracestate', 'Expect', 'Upgrade', 'Proxy-Authorization',
])('%s is the system’s to set', (name) => {
  expect(faults({ [name]: 'x' })).toEqual([`/headers/${name} reserved_header`]);
});

test.each([
  ['X Y', '/headers/X Y'],
  ['', '/headers/'],
  ['X:', '/headers/X:'],
  ['a/b', '/headers/a~1b'],
  ['Größe', '/headers/Größe'],
  ['X\r\nY', '/headers/X\r\nY'],
])('%j is no name of a header', (name, pointer) => {
  expect(faults({ [name]: 'x' })).toEqual([`${pointer} invalid_header_name`]);
});

test.each(['a\r\nX-Injected: 1', 'a\nb', 'a\0', ' a', 'a ', 'ü', 'a\x7f'])('%j is no value of a header', (value) => {
  expect(faults({ 'X-A': value })).toEqual(['/headers/X-A invalid_header_value']);
});

test('names and values that HTTP allows pass', () => {
  expect(faults({ Authorization: 'Bearer a.b-c==', "x!#$%&'*+-.^_`|~9": 'a b\tc', 'X-Empty': '' })).toEqual([]);
});

test('twenty headers and 2 KiB in all are the most', () => {
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${index}`, 'v']));
  expect([faults(many(20)), faults(many(21))]).toEqual([[], ['/headers too_many']]);
  expect([faults({ 'x-a': 'v'.repeat(2_045) }), faults({ 'x-a': 'v'.repeat(2_046) })]).toEqual([[], ['/headers too_big']]);
});

test('one header in two spellings is refused', () => {
  expect(faults({ 'X-A': '1', 'x-a': '2' })).toEqual(['/headers/x-a repeated_header']);
  expect(withLowerCaseNames({ 'X-A': '1' })).toEqual({ 'x-a': '1' });
});

test('what looks like a credential is shown masked, and the mask is not taken for a value', () => {
  const shown = maskHeaders({ authorization: 'Bearer x', 'x-api-key': 'x', 'x-auth-token': 'x', 'x-client-secret': 'x', 'x-team': 'web' });
  expect(shown).toEqual({ authorization: '•••', 'x-api-key': '•••', 'x-auth-token': '•••', 'x-client-secret': '•••', 'x-team': 'web' });
  expect(faults({ authorization: '•••' })).toEqual(['/headers/authorization masked_value']);
});
