// The form of what a key may be used from: an IP address, or a range of them in CIDR notation. The gateway holds a body against
// it, to tell all that is wrong at once; key-management, which has the last word, reads by it. Pure.
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** What is said of a text that has not this form. */
export const addressRangeForm = 'Must be an IP address or a CIDR range.';

/** No zone ids: they name an interface of this machine. */
const form = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/;

const mappedBits = 96;

export interface AddressRange {
  /** The bits of a host are still in it. */
  network: ipaddr.IPv4 | ipaddr.IPv6;
  prefixBits: number;
}

/** IPv4 in IPv6 notation is IPv4. @returns undefined for what is neither an address nor a CIDR range */
export function parseAddressRange(text: string): AddressRange | undefined {
  const [, address = '', bits] = form.exec(text) ?? [];
  const wholeLength = { 4: 32, 6: 128 }[isIP(address)];
  if (!wholeLength || Number(bits ?? 0) > wholeLength) return undefined;
  return withoutMapping({ network: ipaddr.parse(address), prefixBits: Number(bits ?? wholeLength) });
}

function withoutMapping({ network, prefixBits }: AddressRange): AddressRange {
  if (network instanceof ipaddr.IPv6 && network.isIPv4MappedAddress() && prefixBits >= mappedBits) {
    return { network: network.toIPv4Address(), prefixBits: prefixBits - mappedBits };
  }
  return { network, prefixBits };
}
