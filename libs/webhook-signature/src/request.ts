// The two parts of a request that are signed, out of whatever a framework holds them in.
import { types } from 'node:util';

/** The body as it came over the wire: text, or bytes in a Buffer, Uint8Array or ArrayBuffer. */
export type RawBody = string | Uint8Array | ArrayBuffer;

/** Node's `IncomingHttpHeaders`, a `Headers`, a `Map` or a plain record. Names may be in any case. */
export type RequestHeaders =
  | { readonly [name: string]: string | readonly string[] | undefined }
  | { forEach(callback: (value: string, name: string) => void): void };

/** By lower-case name. */
export type HeaderLookup = (name: string) => string | undefined;

export function headerLookup(headers: RequestHeaders): HeaderLookup {
  const values = new Map<string, string>();
  const add = (value: string | readonly string[] | undefined, name: string) => {
    if (value !== undefined) values.set(name.toLowerCase(), typeof value === 'string' ? value : value.join(' '));
  };
  if (hasForEach(headers)) headers.forEach(add);
  else for (const [name, value] of Object.entries(headers)) add(value, name);
  return (name) => values.get(name);
}

function hasForEach(headers: RequestHeaders): headers is Extract<RequestHeaders, { forEach: unknown }> {
  return typeof headers.forEach === 'function';
}

/**
 * Not `instanceof`: the bytes may come from another realm, such as a test runner's.
 * @returns undefined for what is no raw body, above all for one that was parsed
 * @internal
 */
export function rawBytes(body: unknown): Buffer | undefined {
  if (typeof body === 'string') return Buffer.from(body, 'utf8');
  if (types.isUint8Array(body)) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (types.isAnyArrayBuffer(body)) return Buffer.from(body);
  return undefined;
}
