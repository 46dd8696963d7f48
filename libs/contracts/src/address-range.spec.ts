import { expect, test } from '@jest/globals';
import { parseAddressRange } from './address-range.js';

const read = (text: string) => {
  const range = parseAddressRange(text);
  return range && [range.network.toString(), range.prefixBits];
};

test.each([
  ['192.0.2.1', '192.0.2.1', 32],
  ['192.0.2.77/24', '192.0.2.77', 24],
  ['0.0.0.0/0', '0.0.0.0', 0],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1', 128],
  ['2001:db8::/32', '2001:db8::', 32],
  ['::ffff:192.0.2.1', '192.0.2.1', 32],
  ['::ffff:192.0.2.0/120', '192.0.2.0', 24],
])('%s is read as %s/%d', (text, network, prefixBits) => {
  expect(read(text)).toEqual([network, prefixBits]);
});

const shortOrOdd = ['', '1', '192.0.2', '192.0.2.256', '0x7f.1', '010.0.0.1', '192.0.2.1 ', 'fe80::1%eth0', 'host.example'];
const oddPrefixes = ['192.0.2.1/33', '::1/129', '192.0.2.1/', '/8', '192.0.2.1/-1'];

test.each([...shortOrOdd, ...oddPrefixes])('%j is no address', (text) => {
  expect(read(text)).toBeUndefined();
});
