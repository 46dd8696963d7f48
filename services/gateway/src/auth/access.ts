// Who may call a route. Every route says so with exactly one of these; the start fails if one does not.
import { RouteConfig } from '@nestjs/platform-fastify';
import type { Scope } from '@na/contracts';

export type Access =
  /** Nobody is asked who they are. */
  | { kind: 'public' }
  /** Only the operator of the installation, who stands above workspaces. */
  | { kind: 'operator' }
  | { kind: 'any_key'; workspaceHeader: 'required' | 'optional' }
  | { kind: 'scope'; scope: Scope };

export const Public = () => access({ kind: 'public' });
export const OperatorOnly = () => access({ kind: 'operator' });
export const AnyKey = (workspaceHeader: 'required' | 'optional' = 'required') => access({ kind: 'any_key', workspaceHeader });
export const Scoped = (scope: Scope) => access({ kind: 'scope', scope });

/** A POST that takes no more than this changes nothing: it may be carried out again, and its answer is kept nowhere. */
export function isRead(access: Access): boolean {
  return access.kind === 'scope' && access.scope.endsWith(':read');
}

function access(access: Access) {
  return RouteConfig({ access });
}

/** A route without it is served to nobody: throwing here keeps the gateway from starting. */
export function requireAccess({ method, url, config }: { method: string | string[]; url?: string; config?: object }): Access {
  const declared = (config as { access?: Access } | undefined)?.access;
  if (!declared) throw new Error(`${method} ${url} does not say who may call it: give it @Scoped, @AnyKey, @OperatorOnly or @Public.`);
  return declared;
}
