// From the host of a webhook's URL to the addresses that may be connected to. They are judged here, after resolution, and
// whoever asks connects to one of those that were judged: an answer of DNS that changes afterwards changes nothing.
import type { LookupAddress, LookupOptions } from 'node:dns';
import { isIP, type BlockList } from 'node:net';
import { isAddressAllowed } from '../endpoints/target-address.js';
import { SendFailure } from './send-error.js';

/** Names to addresses; `HostLookup` outside of tests. */
export interface Hosts {
  find: (name: string, options?: LookupOptions) => Promise<LookupAddress[]>;
}

/**
 * @param host a name, or an address with or without brackets
 * @returns one address at least
 * @throws SendFailure `address_blocked`, or the error of DNS
 */
export async function allowedAddresses(host: string, allowed: BlockList, hosts: Hosts, options?: LookupOptions): Promise<LookupAddress[]> {
  const plain = withoutBrackets(host);
  const family = isIP(plain);
  const found = family === 0 ? await hosts.find(plain, options) : [{ address: plain, family }];
  const usable = found.filter(({ address }) => isAddressAllowed(address, allowed));
  if (usable.length === 0) throw blocked(host);
  return usable;
}

/** Of a host that is an address itself, and so is never looked up. */
export function isBlockedLiteral(host: string, allowed: BlockList): boolean {
  const literal = withoutBrackets(host);
  return isIP(literal) !== 0 && !isAddressAllowed(literal, allowed);
}

export function blocked(host: string): SendFailure {
  return new SendFailure('address_blocked', `${host} is in a network that webhooks may not reach`);
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}
