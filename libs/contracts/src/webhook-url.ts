// What is wrong with the URL of a webhook as far as it can be told by looking at it: whether an address may be reached is for the
// dispatcher to say. Pure.
import { fault, type Fault } from './fault.js';

/** Parsers mend much of this silently, each in its own way: what is shown would not be what is called. */
export function webhookUrlFaults(url: string): Fault[] {
  const parsed = URL.parse(url);
  if (!parsed || !/^https?:\/\/[^/\\]/i.test(url)) return [fault('invalid_format', 'Must be an http or https URL with a host.')];
  return [...credentialFaults(parsed), ...addressFaults(url, parsed)];
}

/** Left in the URL they would be shown wherever it is, and sent to nobody. */
function credentialFaults({ username, password }: URL): Fault[] {
  if (username === '' && password === '') return [];
  return [fault('not_allowed', 'Must not contain a user name or password: add an Authorization header to the webhook instead.')];
}

function addressFaults(url: string, { port, hostname }: URL): Fault[] {
  const faults = [];
  if (url.includes('#')) faults.push(fault('not_allowed', 'Must have no fragment: what follows # is sent to nobody.'));
  if (port === '0') faults.push(fault('not_allowed', 'Must not name port 0: nothing can listen there.'));
  if (!isHost(hostname)) faults.push(fault('invalid_format', `${hostname} can not be the name of a host.`));
  return faults;
}

/** RFC 1035: labels of 1 to 63 characters, 253 together; a dot at the end stands for the root. IPv6 is the parser's to judge. */
function isHost(hostname: string): boolean {
  if (hostname.startsWith('[')) return true;
  const name = hostname.replace(/\.$/, '');
  return name.length <= 253 && name.split('.').every((label) => label.length > 0 && label.length <= 63);
}
