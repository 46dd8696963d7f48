// What is wrong with the headers that customers add to their deliveries. Pure.
import { fault, type Fault } from './fault.js';

type Headers = Readonly<Record<string, string>>;

const maxHeaders = 20;
const maxBytes = 2_048;

/** Of the request's framing, of the trace, and the ones that receivers must be able to trust. */
const reserved = new Set([
  'accept-encoding', 'baggage', 'connection', 'content-encoding', 'content-length', 'content-type', 'expect', 'host', 'keep-alive', 'te', 'trailer',
  'traceparent', 'tracestate', 'transfer-encoding', 'upgrade', 'user-agent',
]);
const reservedFamily = /^(webhook-|x-webhook-|proxy-)/;

/** RFC 9110: a token; visible ASCII with blanks and tabs inside. Its obs-text is left out: receivers disagree on what it means. */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const fieldValue = /^([\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?)?$/;

/** Shown in the place of values that look like credentials. */
export const headerMask = '•••';

export function webhookHeaderFaults(headers: Headers): Fault[] {
  return [...headerFaults(headers), ...headerBoundFaults(headers)];
}

/** Of each header by itself. */
export function headerFaults(headers: Headers): Fault[] {
  return [...Object.entries(headers).flatMap(([name, value]) => faultsOf(name, value)), ...repeatedNames(Object.keys(headers))];
}

/** Of all of them together; a patch names some only, and the bounds are for what there is after it. */
export function headerBoundFaults(headers: Headers): Fault[] {
  const bytes = Buffer.byteLength(Object.entries(headers).flat().join(''));
  const faults = [];
  if (Object.keys(headers).length > maxHeaders) faults.push(fault('too_many', `At most ${maxHeaders} headers can be added.`));
  if (bytes > maxBytes) faults.push(fault('too_big', `Names and values take ${bytes} bytes together; ${maxBytes} are allowed.`));
  return faults;
}

function faultsOf(name: string, value: string): Fault[] {
  if (!token.test(name)) return [fault('invalid_header_name', "A header's name has only letters, digits and !#$%&'*+-.^_`|~.", name)];
  if (isReserved(name)) return [fault('reserved_header', 'This header is set by the system.', name)];
  if (value === headerMask) return [fault('masked_value', 'This is how the value is shown, not the value. Leave the header out to keep it.', name)];
  if (!fieldValue.test(value)) return [fault('invalid_header_value', 'Must be printable ASCII without white space around it.', name)];
  return [];
}

function isReserved(name: string): boolean {
  return reserved.has(name.toLowerCase()) || reservedFamily.test(name.toLowerCase());
}

/** Names that differ in nothing but case are one header. */
function repeatedNames(names: string[]): Fault[] {
  const lower = names.map((name) => name.toLowerCase());
  const again = names.filter((_, index) => lower.indexOf(lower[index]!) !== index);
  return again.map((name) => fault('repeated_header', 'This header is given twice, in different case.', name));
}
