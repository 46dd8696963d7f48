// Says which requests take an Idempotency-Key, reads that header, and tells requests apart by what they ask for. Pure.
import { createHash } from 'node:crypto';
import { ServiceError } from '@na/service-error';
import { isRead, type Access } from '../auth/access.js';

const maxLength = 255;
const visible = /^[\x21-\x7e]+$/;
/** A string of structured fields (RFC 9651), as the draft of the header wants it; bare is how most clients send it. */
const quoted = /^"((?:[^"\\]|\\["\\])*)"$/;

/** Records belong to somebody, so a public route has none. What only reads takes no key: it may hold what nobody wants kept. */
export function takesIdempotencyKey({ method, access }: { method: string; access: Access }): boolean {
  return method === 'POST' && access.kind !== 'public' && !isRead(access);
}

/** @throws ServiceError `invalid_request` for what is no key: taken for none, the request would be done twice */
export function readIdempotencyKey(header: string): string {
  const inside = quoted.exec(header)?.[1];
  const key = inside === undefined ? header : inside.replace(/\\(.)/g, '$1');
  if (key.length <= maxLength && visible.test(key)) return key;
  throw new ServiceError('invalid_request', `Idempotency-Key must be 1 to ${maxLength} visible ASCII characters, such as a UUID, and be sent once.`);
}

/** @param bodyDigest SHA-256 of the body as it was sent; undefined when there was none */
export function fingerprintOf(method: string, url: string, bodyDigest: Buffer | undefined): Buffer {
  const hash = createHash('sha256').update(JSON.stringify([method, url]));
  return hash.update(bodyDigest ?? '').digest();
}
