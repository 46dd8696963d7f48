// Who makes a request, and what that allows.
import type { Scope, Verdict } from '@na/contracts';

export type Principal = { kind: 'operator' } | { kind: 'key'; verdict: Verdict };

/** The operator sets workspaces up and mends their keys, and sees none of their data. */
const operatorScopes: readonly Scope[] = ['workspaces:read', 'workspaces:write', 'keys:read', 'keys:write'];

export function hasScope(principal: Principal, scope: Scope): boolean {
  return principal.kind === 'operator' ? operatorScopes.includes(scope) : principal.verdict.scopes.includes(scope);
}

/** As audit logs name it. */
export function actorOf(principal: Principal): string {
  return principal.kind === 'operator' ? 'operator' : principal.verdict.keyId;
}
