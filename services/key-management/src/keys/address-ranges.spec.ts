import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BlockList } from 'node:net';
import { areWithin, canonicalRange, isWithin } from './address-ranges.js';

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['192.0.2.1/32', '192.0.2.1'],
  ['192.0.2.77/24', '192.0.2.0/24'],
  ['10.255.255.255/9', '10.128.0.0/9'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['2001:db8::1/128', '2001:db8::1'],
  ['2001:db8:1:2:3::/48', '2001:db8:1::/48'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.9/120', '192.0.2.0/24'],
  ['::/0', '::/0'],
])('%s is written %s', (text, canonical) => {
  expect(canonicalRange(text)).toBe(canonical);
});

test('what is no address has no canonical form', () => {
  expect(canonicalRange('host.example')).toBeUndefined();
});

test('ranges are within what covers them, in their own family', () => {
  expect(isWithin('10.1.0.0/16', ['192.0.2.1', '10.0.0.0/8'])).toBe(true);
  expect(isWithin('10.0.0.0/8', ['10.0.0.0/8'])).toBe(true);
  expect(isWithin('10.0.0.0/7', ['10.0.0.0/8'])).toBe(false);
  expect(isWithin('192.0.2.1', ['::/0'])).toBe(false);
  expect(isWithin('2001:db8::1', ['0.0.0.0/0', '2001:db8::/32'])).toBe(true);
});

test('no ranges at all are everywhere', () => {
  expect(areWithin([], [])).toBe(true);
  expect(areWithin(['10.0.0.0/8'], [])).toBe(true);
  expect(areWithin([], ['10.0.0.0/8'])).toBe(false);
});

test('an address is within a range exactly if the gateway, which judges by BlockList, lets it in', () => {
  const range = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }));
  fc.assert(
    fc.property(range, fc.ipV4(), ([network, bits], address) => {
      const list = new BlockList();
      const canonical = canonicalRange(`${network}/${bits}`)!;
      const [base, prefix = '32'] = canonical.split('/') as [string, string?];
      list.addSubnet(base, Number(prefix));
      expect(isWithin(address, [canonical])).toBe(list.check(address));
    }),
  );
});
