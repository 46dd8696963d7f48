// What a client says of a key, on its way to key-management. Pure.
import { timestampFromDate, type Timestamp } from '@bufbuild/protobuf/wkt';
import type { KeyPatch, KeysQuery, NewKey } from './keys.schema.js';

export function newKeyToProto({ name, scopes, ...limits }: NewKey) {
  return { name, scopes, ...limitsToProto(limits) };
}

/** What is named and null is unset on the wire, which key-management takes for: without. */
export function keyPatchToProto(patch: KeyPatch) {
  const { name, scopes, disabled, ...limits } = patch;
  return { fields: Object.keys(patch), name, scopes, disabled: disabled ?? false, ...limitsToProto(limits) };
}

export function keyFilters({ status, name, expires_before }: KeysQuery) {
  return { status, name, expiresBefore: timestampOf(expires_before) };
}

function limitsToProto({ expires_at, not_before, allowed_ips, rate_limit }: Pick<NewKey, 'expires_at' | 'not_before' | 'allowed_ips' | 'rate_limit'>) {
  return {
    expiresAt: timestampOf(expires_at),
    notBefore: timestampOf(not_before),
    allowedIps: allowed_ips ?? [],
    rateLimit: rate_limit ? { limit: rate_limit.limit, windowSeconds: rate_limit.window_seconds } : undefined,
  };
}

function timestampOf(date: Date | null | undefined): Timestamp | undefined {
  return date ? timestampFromDate(date) : undefined;
}
