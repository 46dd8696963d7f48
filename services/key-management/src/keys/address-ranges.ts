// The addresses a key may be used from: read, written in one canonical form, and held against each other. Pure.
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** No zone ids: they name an interface of this machine. */
const form = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/;

const mappedBits = 96;

interface Range {
  network: ipaddr.IPv4 | ipaddr.IPv6;
  prefixBits: number;
}

/**
 * Networks lose the bits of a host, whole-length prefixes are left out, IPv4 in IPv6 notation becomes IPv4, IPv6 is written
 * as in RFC 5952. @returns undefined for what is neither an address nor a CIDR range
 */
export function canonicalRange(text: string): string | undefined {
  const range = parse(text);
  return range && write(range);
}

/** @param outer canonical ranges; none at all is everywhere, on either side */
export function areWithin(inner: readonly string[], outer: readonly string[]): boolean {
  if (outer.length === 0) return true;
  return inner.length > 0 && inner.every((range) => isWithin(range, outer));
}

/** A range that only several of `outer` together would cover counts as outside. */
export function isWithin(inner: string, outer: readonly string[]): boolean {
  const { network, prefixBits } = parse(inner)!;
  return outer.map((text) => parse(text)!).some((other) => other.prefixBits <= prefixBits && matches(network, other));
}

function parse(text: string): Range | undefined {
  const [, address = '', bits] = form.exec(text) ?? [];
  const wholeLength = { 4: 32, 6: 128 }[isIP(address)];
  if (!wholeLength || Number(bits ?? 0) > wholeLength) return undefined;
  return withoutMapping({ network: ipaddr.parse(address), prefixBits: Number(bits ?? wholeLength) });
}

function withoutMapping({ network, prefixBits }: Range): Range {
  if (network instanceof ipaddr.IPv6 && network.isIPv4MappedAddress() && prefixBits >= mappedBits) {
    return { network: network.toIPv4Address(), prefixBits: prefixBits - mappedBits };
  }
  return { network, prefixBits };
}

function write({ network, prefixBits }: Range): string {
  const bytes = network.toByteArray();
  if (prefixBits === bytes.length * 8) return network.toString();
  const masked = bytes.map((byte, index) => byte & (0xff00 >> Math.min(8, Math.max(0, prefixBits - index * 8))) & 0xff);
  return `${ipaddr.fromByteArray(masked).toString()}/${prefixBits}`;
}

function matches(address: Range['network'], { network, prefixBits }: Range): boolean {
  return address.kind() === network.kind() && address.match(network, prefixBits);
}
