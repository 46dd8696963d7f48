// Workspaces in their table, always inside a transaction that is scoped to one of them.
import type { Caller } from '@na/contracts';
import { notFound } from '@na/service-error';
import type { EntityManager } from 'typeorm';
import { isOperator } from '../caller.js';
import { Workspace } from './workspace.entity.js';

export async function findWorkspace(tx: EntityManager, id: string): Promise<Workspace> {
  return found(await tx.findOneBy(Workspace, { id }), id);
}

/**
 * A key's workspace is there. The operator may have slipped in the id, and would take nothing for an answer.
 * @throws ServiceError `not_found`
 */
export async function requireWorkspace(tx: EntityManager, caller: Caller): Promise<void> {
  if (isOperator(caller)) await findWorkspace(tx, caller.workspaceId);
}

/** Until the end of the transaction: changes of one workspace and of its keys take turns, and none overtakes a suspension. */
export async function lockWorkspace(tx: EntityManager, id: string): Promise<Workspace> {
  return found(await tx.findOne(Workspace, { where: { id }, lock: { mode: 'for_no_key_update' } }), id);
}

function found(workspace: Workspace | null, id: string): Workspace {
  if (!workspace) throw notFound('workspace', id);
  return workspace;
}
