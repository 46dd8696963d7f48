// What counts as one client when only its address is known. Pure.
import { isIPv6 } from 'node:net';

const mappedIPv4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** An IPv4 address itself; of IPv6 the /64 network, which is the least that a customer of a provider gets. What is no address stays as it is. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const mapped = mappedIPv4.exec(address)?.[1];
  return mapped ?? `${firstHalf(address).join(':')}::/64`;
}

/** The first four of the eight groups, in one spelling. */
function firstHalf(address: string): string[] {
  const [head, tail] = address.split('::').map((part) => (part === '' ? [] : part.split(':'))) as [string[], string[]?];
  const zeros = tail ? Array.from({ length: 8 - head.length - tail.length }, () => '0') : [];
  return [...head, ...zeros, ...(tail ?? [])].slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
}
