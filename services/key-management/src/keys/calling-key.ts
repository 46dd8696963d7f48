// Who asks for a change, as they are in the change's own transaction.
import type { Caller, Scope } from '@na/contracts';
import type { Clock } from '@na/service-host';
import type { EntityManager } from 'typeorm';
import { isOperator } from '../caller.js';
import { lockWorkspace } from '../workspaces/workspace-store.js';
import type { Workspace } from '../workspaces/workspace.entity.js';
import type { ApiKey } from './api-key.entity.js';
import type { Maker } from './key-grant.js';
import { lockKeys } from './key-store.js';
import { checkStanding } from './standing.js';

/** What a change is about. */
export interface Target {
  workspaceId: string;
  /** Keys to be locked together with the calling one. */
  keyIds?: string[];
  /** What the calling key must have for it. */
  needed: Scope;
}

export interface Locked {
  workspace: Workspace;
  keys: Map<string, ApiKey>;
  maker: Maker;
  /** The moment of the change: after the wait for the locks, in which a key may have expired. */
  now: Date;
}

/**
 * Locks until the change is made, always in this order, so that no two wait for each other: the workspace, then keys.
 * @throws ServiceError as `checkStanding`, or `not_found` when there is no such workspace
 */
export async function lockFor(tx: EntityManager, caller: Caller, { workspaceId, keyIds = [], needed }: Target, clock: Clock): Promise<Locked> {
  const workspace = await lockWorkspace(tx, workspaceId);
  const keys = await lockKeys(tx, workspaceId, isOperator(caller) ? keyIds : [...keyIds, caller.actor]);
  const now = clock.now();
  return { workspace, keys, now, maker: makerAmong(keys, workspace, caller, needed, now) };
}

function makerAmong(keys: Map<string, ApiKey>, workspace: Workspace, caller: Caller, needed: Scope, now: Date): Maker {
  if (isOperator(caller)) return 'operator';
  const own = keys.get(caller.actor);
  checkStanding(own, workspace, caller, needed, now);
  return own;
}
