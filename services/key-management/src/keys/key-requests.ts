// What is asked on the bus of a key, read into what the rules go by.
import { timestampDate, type Timestamp } from '@bufbuild/protobuf/wkt';
import type { CreateKeyRequest, ListKeysRequest, RateLimit, UpdateKeyRequest } from '@na/contracts';
import { ServiceError } from '@na/service-error';
import { digestBytes } from './key-digest.js';
import type { KeyPatch } from './key-patch.js';
import type { KeyFilter } from './key-store.js';
import { shownStatuses } from './key-status.js';
import type { NewKey } from './keys.js';

export function newKeyOf(request: CreateKeyRequest): NewKey {
  const { id, workspaceId, name, scopes, lastFour, expiresAt, notBefore, allowedIps, rateLimit } = request;
  const limits = { expiresAt: dateOf(expiresAt), notBefore: dateOf(notBefore), allowedIps, ...rateOf(rateLimit) };
  return { id, workspaceId, name, scopes, lastFour, ...limits, secretDigest: digestOf(request) };
}

const patched: Record<string, (request: UpdateKeyRequest) => KeyPatch> = {
  name: ({ name }) => ({ name }),
  scopes: ({ scopes }) => ({ scopes: [...new Set(scopes)] }),
  expires_at: ({ expiresAt }) => ({ expiresAt: dateOf(expiresAt) }),
  not_before: ({ notBefore }) => ({ notBefore: dateOf(notBefore) }),
  disabled: ({ disabled }) => ({ disabled }),
  allowed_ips: ({ allowedIps }) => ({ allowedIps }),
  rate_limit: ({ rateLimit }) => rateOf(rateLimit),
};

/** @throws ServiceError for a field that can't be changed */
export function patchOf(request: UpdateKeyRequest): KeyPatch {
  const parts = request.fields.map((field) => {
    const read = Object.hasOwn(patched, field) ? patched[field] : undefined;
    if (!read) throw faultAt(field, 'read_only', 'Can not be changed.');
    return read(request);
  });
  return Object.assign({}, ...parts) as KeyPatch;
}

export function filterOf({ status, name, expiresBefore }: ListKeysRequest): KeyFilter {
  const isKnown = status === undefined || (shownStatuses as readonly string[]).includes(status);
  if (!isKnown) throw faultAt('status', 'unknown_status', `Must be one of ${shownStatuses.join(', ')}.`);
  return { status, name, expiresBefore: expiresBefore && timestampDate(expiresBefore) };
}

/** SHA-256 of a secret. */
export function digestOf({ secretDigest }: { secretDigest: Uint8Array }): Uint8Array {
  if (secretDigest.length !== digestBytes) throw new ServiceError('invalid_request', `secret_digest must be ${digestBytes} bytes.`);
  return secretDigest;
}

function rateOf(rate: RateLimit | undefined) {
  return { rateLimit: rate?.limit ?? null, rateWindowSeconds: rate?.windowSeconds ?? null };
}

function dateOf(timestamp: Timestamp | undefined): Date | null {
  return timestamp ? timestampDate(timestamp) : null;
}

function faultAt(field: string, code: string, detail: string): ServiceError {
  return new ServiceError('invalid_request', 'The request can not be understood.', { fields: [{ pointer: `/${field}`, code, detail }] });
}
