import type { NetworkInterfaceInfo } from 'node:os';
import { expect, test } from '@jest/globals';
import { connectable } from './host-lookup.js';

const ipv4 = { address: '192.0.2.1', family: 4 };
const ipv6 = { address: '2001:db8::1', family: 6 };
const own = (family: 'IPv4' | 'IPv6', address: string, internal = false) => ({ family, address, internal }) as NetworkInterfaceInfo;
const loopback = [own('IPv4', '127.0.0.1', true), own('IPv6', '::1', true)];

test.each([
  ['IPv4 alone', [own('IPv4', '192.0.2.9')], [ipv4]],
  ['IPv4, and IPv6 only on its link', [own('IPv4', '192.0.2.9'), own('IPv6', 'fe80::9')], [ipv4]],
  ['IPv6 alone', [own('IPv6', '2001:db8::9')], [ipv6]],
  ['both families', [own('IPv4', '192.0.2.9'), own('IPv6', '2001:db8::9')], [ipv4, ipv6]],
  ['neither', [], [ipv4, ipv6]],
])('of a host with both families, a machine that has %s connects to what it can', (_name, addresses, usable) => {
  expect(connectable([ipv4, ipv6], () => ({ lo: loopback, eth0: addresses }))).toEqual(usable);
});

test('a host with one family is left as it is: that there is no route says more than that there is no address', () => {
  expect(connectable([ipv6], () => ({ eth0: [own('IPv4', '192.0.2.9')] }))).toEqual([ipv6]);
});
