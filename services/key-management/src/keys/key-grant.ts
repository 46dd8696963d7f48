// What a new key may be: known scopes, an end that lies ahead, and never more than the key that makes it. A pure rule.
import { isScope } from '@na/contracts';
import { ServiceError, type FieldFault } from '@na/service-error';

export interface Grant {
  scopes: readonly string[];
  expiresAt: Date | null;
}

/**
 * @param maker what the calling key may do, or "operator", who may grant everything
 * @throws ServiceError `invalid_request` or `insufficient_scope`, with a pointer to each fault
 */
export function checkGrant(wanted: Grant, maker: Grant | 'operator', now: Date): void {
  const invalid = [...unknownScopes(wanted), ...wrongEnd(wanted, maker, now)];
  if (invalid.length > 0) throw new ServiceError('invalid_request', 'The key can not be made like this.', { fields: invalid });
  const wider = maker === 'operator' ? [] : scopesBeyond(wanted, maker);
  if (wider.length > 0) throw new ServiceError('insufficient_scope', 'A key can not make a key that may do more than itself.', { fields: wider });
}

function unknownScopes({ scopes }: Grant): FieldFault[] {
  if (scopes.length === 0) return [{ pointer: '/scopes', code: 'required', detail: 'Name at least one scope.' }];
  return faultyScopes(scopes, (scope) => !isScope(scope), 'unknown_scope', (scope) => `There is no scope ${scope}.`);
}

function scopesBeyond({ scopes }: Grant, maker: Grant): FieldFault[] {
  return faultyScopes(scopes, (scope) => !maker.scopes.includes(scope), 'scope_not_held', (scope) => `The calling key does not have ${scope}.`);
}

function faultyScopes(scopes: readonly string[], faulty: (scope: string) => boolean, code: string, detail: (scope: string) => string): FieldFault[] {
  return scopes.flatMap((scope, index) => (faulty(scope) ? [{ pointer: `/scopes/${index}`, code, detail: detail(scope) }] : []));
}

function wrongEnd({ expiresAt }: Grant, maker: Grant | 'operator', now: Date): FieldFault[] {
  const fault = (code: string, detail: string) => [{ pointer: '/expires_at', code, detail }];
  if (expiresAt && expiresAt <= now) return fault('not_in_future', 'Must lie in the future.');
  const latest = maker === 'operator' ? null : maker.expiresAt;
  if (latest && (!expiresAt || expiresAt > latest)) return fault('too_late', `Must be at most ${latest.toISOString()}, when the calling key expires.`);
  return [];
}
