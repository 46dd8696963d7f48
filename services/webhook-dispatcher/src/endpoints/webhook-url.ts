// What is wrong with the URL of a webhook as far as it can be told without asking anybody, the operator's networks included: where a
// name leads is judged at each attempt, on the address that is connected to. Pure.
import type { BlockList } from 'node:net';
import { fault, webhookUrlFaults, type Fault } from '@na/contracts';
import { isBlockedLiteral } from '../deliveries/target-addresses.js';

/**
 * @param allowed networks of the operator that may be reached although they are private
 * @returns none for one that an attempt can be made at
 */
export function urlFaults(url: string, allowed: BlockList): Fault[] {
  const faults = webhookUrlFaults(url);
  const { hostname } = URL.parse(url) ?? {};
  if (hostname === undefined || !isBlockedLiteral(hostname, allowed)) return faults;
  return [...faults, fault('address_blocked', `${hostname} is in a network that webhooks may not reach: it is private, local or reserved.`)];
}
