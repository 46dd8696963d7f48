import { expect, test } from '@jest/globals';
import { isAddressAllowed, parseCidrs } from './target-address.js';

const none = parseCidrs([]);

test.each([
  '127.0.0.1', '10.0.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0', '255.255.255.255',
  '::1', '::', 'fe80::1', 'fe80::1%eth0', 'fd00::1', '::ffff:127.0.0.1', '::ffff:a9fe:a9fe', '64:ff9b::7f00:1', '64:ff9b::169.254.169.254', 'ff02::1',
  '2002:7f00:1::', '::7f00:1', '::127.0.0.1', '::ffff:0:7f00:1', '4000::1', 'not an address',
])('%s can not be reached', (address) => {
  expect(isAddressAllowed(address, none)).toBe(false);
});

test.each(['93.184.216.34', '8.8.8.8', '172.32.0.1', '2606:2800:220:1:248:1893:25c8:1946', '::ffff:8.8.8.8'])('%s can be reached', (address) => {
  expect(isAddressAllowed(address, none)).toBe(true);
});

test('an allowed network can be reached, in each of its spellings, and its neighbours can not', () => {
  const allowed = parseCidrs(['127.0.0.0/8', 'fd00::/64']);
  expect(['127.0.0.1', '::ffff:127.0.0.1', 'fd00::5'].map((address) => isAddressAllowed(address, allowed))).toEqual([true, true, true]);
  expect(['10.0.0.1', 'fd00:0:0:1::5', '::1'].map((address) => isAddressAllowed(address, allowed))).toEqual([false, false, false]);
});

test.each(['10.0.0.0', '10.0.0.0/33', 'fd00::/129', 'localhost/8'])('%s is refused as a network, by name', (entry) => {
  expect(() => parseCidrs([entry])).toThrow(entry);
});
