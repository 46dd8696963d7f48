// The addresses a key may be used from: written in one canonical form, and held against each other. Pure.
import { parseAddressRange, type AddressRange } from '@na/contracts';
import ipaddr from 'ipaddr.js';

/**
 * Networks lose the bits of a host, whole-length prefixes are left out, IPv4 in IPv6 notation becomes IPv4, IPv6 is written
 * as in RFC 5952. @returns undefined for what is neither an address nor a CIDR range
 */
export function canonicalRange(text: string): string | undefined {
  const range = parseAddressRange(text);
  return range && write(range);
}

/** @param outer canonical ranges; none at all is everywhere, on either side */
export function areWithin(inner: readonly string[], outer: readonly string[]): boolean {
  if (outer.length === 0) return true;
  return inner.length > 0 && inner.every((range) => isWithin(range, outer));
}

/** A range that only several of `outer` together would cover counts as outside. */
export function isWithin(inner: string, outer: readonly string[]): boolean {
  const { network, prefixBits } = parseAddressRange(inner)!;
  return outer.map((text) => parseAddressRange(text)!).some((other) => other.prefixBits <= prefixBits && matches(network, other));
}

function write({ network, prefixBits }: AddressRange): string {
  const bytes = network.toByteArray();
  if (prefixBits === bytes.length * 8) return network.toString();
  const masked = bytes.map((byte, index) => byte & (0xff00 >> Math.min(8, Math.max(0, prefixBits - index * 8))) & 0xff);
  return `${ipaddr.fromByteArray(masked).toString()}/${prefixBits}`;
}

function matches(address: AddressRange['network'], { network, prefixBits }: AddressRange): boolean {
  return address.kind() === network.kind() && address.match(network, prefixBits);
}
