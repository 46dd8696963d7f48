import { expect, test } from '@jest/globals';
import { parseCidrs } from './target-address.js';
import { urlFaults } from './webhook-url.js';

const none = parseCidrs([]);
const codesOf = (url: string, allowed = none) => urlFaults(url, allowed).map(({ code }) => code);

test.each([
  ['https:///x', 'invalid_format'],
  ['https:/example.com/', 'invalid_format'],
  ['https:\\\\example.com', 'invalid_format'],
  ['ftp://example.com/', 'invalid_format'],
  ['https://example..com/', 'invalid_format'],
  ['https://.example.com/', 'invalid_format'],
  [`https://${'a'.repeat(64)}.com/`, 'invalid_format'],
  [`https://${'a.'.repeat(127)}com/`, 'invalid_format'],
  ['https://example.com:0/', 'not_allowed'],
  ['https://example.com/hook#part', 'not_allowed'],
  ['https://example.com/#', 'not_allowed'],
])('%s can never be called, and is %s', (url, code) => {
  expect(codesOf(url)).toEqual([code]);
});

test.each([
  'http://169.254.169.254/latest/meta-data', 'http://10.0.0.1/', 'http://[fd00::1]/', 'http://0.0.0.0:9871/', 'http://2130706433/', 'http://0x7f.1/',
  'http://[::ffff:10.0.0.1]/', 'http://127.0.0.1./',
])('%s leads to an address that is never connected to', (url) => {
  expect(codesOf(url)).toEqual(['address_blocked']);
});

test('an address in a network that the operator allows is taken, and its neighbours are not', () => {
  const allowed = parseCidrs(['10.1.0.0/16', 'fd00::/64']);
  expect(['http://10.1.2.3/', 'http://[fd00::1]/', 'http://10.2.0.1/'].map((url) => codesOf(url, allowed))).toEqual([[], [], ['address_blocked']]);
});

test.each([
  'https://example.com', 'HTTPS://Example.com./a?b=%23', 'http://8.8.8.8:8080/', 'https://[2606:2800:220:1:248:1893:25c8:1946]/', 'https://bücher.example/', 'http://localhost:8080/',
  'https://my_host.example.com/',
])('%s may be called: where a name leads is judged at each attempt', (url) => {
  expect(codesOf(url)).toEqual([]);
});
