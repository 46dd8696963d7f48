import { expect, test } from '@jest/globals';
import { networkOf } from './address-network.js';

test('an IPv4 address stands for itself, also when it comes in IPv6 notation', () => {
  expect(networkOf('192.0.2.7')).toBe('192.0.2.7');
  expect(networkOf('::ffff:192.0.2.7')).toBe('192.0.2.7');
  expect(networkOf('::FFFF:192.0.2.7')).toBe('192.0.2.7');
});

test('addresses of one /64 are one client, however they are written', () => {
  const spellings = ['2001:db8:0:7::1', '2001:0db8:0000:0007:ffff:ffff:ffff:ffff', '2001:DB8:0:7:0:0:0:2', '2001:db8:0:7::192.0.2.7', '2001:db8:0:7::1%eth0'];
  expect(new Set(spellings.map(networkOf))).toEqual(new Set(['2001:db8:0:7::/64']));
});

test('neighbouring /64 networks are two clients', () => {
  expect(networkOf('2001:db8:0:8::1')).not.toBe(networkOf('2001:db8:0:7::1'));
  expect(networkOf('::1')).toBe('0:0:0:0::/64');
  expect(networkOf('fe80::')).toBe('fe80:0:0:0::/64');
});

test('what is no address is left as it is', () => {
  expect(networkOf('unknown')).toBe('unknown');
});
