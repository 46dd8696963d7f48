// What is wrong with the URL of a webhook as far as it can be told without asking anybody: where a name leads is judged at
// each attempt, on the address that is connected to. Pure.
import type { BlockList } from 'node:net';
import type { FieldFault } from '@na/service-error';
import { isBlockedLiteral } from '../deliveries/target-addresses.js';

/**
 * @param allowed networks of the operator that may be reached although they are private
 * @returns faults at /url; none for one that an attempt can be made at
 */
export function urlFaults(url: string, allowed: BlockList): FieldFault[] {
  const fault = faultOf(url, allowed);
  return fault ? [{ pointer: '/url', ...fault }] : [];
}

/** Parsers mend much of this silently, each in its own way: what is shown would not be what is called. */
function faultOf(url: string, allowed: BlockList): Omit<FieldFault, 'pointer'> | undefined {
  const parsed = URL.parse(url);
  if (!parsed || !/^https?:\/\/[^/\\]/i.test(url)) return { code: 'invalid_format', detail: 'Must be an http or https URL with a host.' };
  if (url.includes('#')) return { code: 'not_allowed', detail: 'Must have no fragment: what follows # is sent to nobody.' };
  if (parsed.port === '0') return { code: 'not_allowed', detail: 'Must not name port 0: nothing can listen there.' };
  if (!isHost(parsed.hostname)) return { code: 'invalid_format', detail: `${parsed.hostname} can not be the name of a host.` };
  if (!isBlockedLiteral(parsed.hostname, allowed)) return undefined;
  return { code: 'address_blocked', detail: `${parsed.hostname} is in a network that webhooks may not reach: it is private, local or reserved.` };
}

/** RFC 1035: labels of 1 to 63 characters, 253 together; a dot at the end stands for the root. IPv6 is the parser's to judge. */
function isHost(hostname: string): boolean {
  if (hostname.startsWith('[')) return true;
  const name = hostname.replace(/\.$/, '');
  return name.length <= 253 && name.split('.').every((label) => label.length > 0 && label.length <= 63);
}
