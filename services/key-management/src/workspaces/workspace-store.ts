// Workspaces in their table, always inside a transaction that is scoped to one of them.
import { notFound } from '@na/service-error';
import type { EntityManager } from 'typeorm';
import { Workspace } from './workspace.entity.js';

export async function findWorkspace(tx: EntityManager, id: string): Promise<Workspace> {
  return found(await tx.findOneBy(Workspace, { id }), id);
}

/** Until the end of the transaction: changes of one workspace and of its keys take turns, and none overtakes a suspension. */
export async function lockWorkspace(tx: EntityManager, id: string): Promise<Workspace> {
  return found(await tx.findOne(Workspace, { where: { id }, lock: { mode: 'for_no_key_update' } }), id);
}

function found(workspace: Workspace | null, id: string): Workspace {
  if (!workspace) throw notFound('workspace', id);
  return workspace;
}
