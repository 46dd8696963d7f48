// The headers that customers add to their deliveries: what they may be, and how they are shown. Pure.
import type { FieldFault } from '@na/service-error';

export type Headers = Record<string, string>;

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

const sensitive = /(authorization|cookie|key|token|secret|password)$/i;
const mask = '•••';

export function headerFaults(headers: Headers): FieldFault[] {
  const names = Object.keys(headers);
  const bytes = Buffer.byteLength(Object.entries(headers).flat().join(''));
  const faults = names.flatMap((name) => faultOf(name, headers[name]!).map((fault) => ({ pointer: `/headers/${escapePointer(name)}`, ...fault })));
  if (names.length > maxHeaders) faults.push({ pointer: '/headers', code: 'too_many', detail: `At most ${maxHeaders} headers can be added.` });
  if (bytes > maxBytes) faults.push({ pointer: '/headers', code: 'too_big', detail: `Names and values take ${bytes} bytes together; ${maxBytes} are allowed.` });
  return [...faults, ...repeatedNames(names)];
}

function faultOf(name: string, value: string): Omit<FieldFault, 'pointer'>[] {
  if (!token.test(name)) return [{ code: 'invalid_header_name', detail: "A header's name has only letters, digits and !#$%&'*+-.^_`|~." }];
  if (isReserved(name)) return [{ code: 'reserved_header', detail: 'This header is set by the system.' }];
  if (value === mask) return [{ code: 'masked_value', detail: 'This is how the value is shown, not the value. Leave the header out to keep it.' }];
  if (!fieldValue.test(value)) return [{ code: 'invalid_header_value', detail: 'Must be printable ASCII without white space around it.' }];
  return [];
}

function isReserved(name: string): boolean {
  return reserved.has(name.toLowerCase()) || reservedFamily.test(name.toLowerCase());
}

/** Names that differ in nothing but case are one header. */
function repeatedNames(names: string[]): FieldFault[] {
  const lower = names.map((name) => name.toLowerCase());
  return names
    .filter((_, index) => lower.indexOf(lower[index]!) !== index)
    .map((name) => ({ pointer: `/headers/${escapePointer(name)}`, code: 'repeated_header', detail: 'This header is given twice, in different case.' }));
}

export function withLowerCaseNames(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** Values of headers that look like credentials are shown to nobody, as many as can read them may read the endpoint. */
export function maskHeaders(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, sensitive.test(name) ? mask : value]));
}

/** RFC 6901. */
function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
