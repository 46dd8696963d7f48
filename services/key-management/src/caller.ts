// On whose behalf a request is made, and what that allows here.
import type { Caller } from '@na/contracts';
import { workspaceOf } from '@na/messaging';
import { ServiceError } from '@na/service-error';

/** @throws ServiceError for a request that doesn't say who makes it: nothing is done for nobody */
export function callerOf({ caller }: { caller?: Caller }): Caller {
  if (!caller?.actor) throw new ServiceError('invalid_request', 'The request names no caller.');
  return caller;
}

/** The operator of the installation stands above workspaces; every key belongs to one. */
export function isOperator(caller: Caller): boolean {
  return caller.actor === 'operator';
}

/** @param what such as "suspends workspaces" */
export function requireOperator(caller: Caller, what: string): void {
  if (!isOperator(caller)) throw new ServiceError('insufficient_scope', `Only the operator of this installation ${what}.`);
}

/** @throws ServiceError also for an operator who names no workspace */
export function callerInWorkspace(request: { caller?: Caller }): Caller {
  const caller = callerOf(request);
  workspaceOf(caller);
  return caller;
}
