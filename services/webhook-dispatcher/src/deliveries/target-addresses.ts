// From the host of a webhook's URL to the addresses that may be connected to. They are judged here, after resolution, and
// whoever asks connects to one of those that were judged: an answer of DNS that changes afterwards changes nothing.
import type { LookupAddress, LookupOptions } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { isIP, type BlockList } from 'node:net';
import { isAddressAllowed } from '../endpoints/target-address.js';
import { SendFailure } from './send-error.js';

/**
 * @param host a name, or an address with or without brackets
 * @returns one address at least
 * @throws SendFailure `address_blocked`, or the error of DNS
 */
export async function allowedAddresses(host: string, allowed: BlockList, options: LookupOptions = {}): Promise<LookupAddress[]> {
  const found = await lookup(withoutBrackets(host), { ...options, all: true });
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
