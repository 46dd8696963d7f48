// Keys in their table, always inside a transaction that is scoped to their workspace.
import { notFound, ServiceError } from '@na/service-error';
import { In, QueryFailedError, type EntityManager } from 'typeorm';
import { ApiKey } from './api-key.entity.js';
import { shownStatusSql } from './key-status.js';

export interface KeyFilter {
  status?: string;
  /** Part of the name, in any case. */
  name?: string;
  expiresBefore?: Date;
}

const conditions: Record<keyof KeyFilter, string> = {
  status: `${shownStatusSql} = :status`,
  name: 'strpos(lower(key.name), lower(:name)) > 0',
  expiresBefore: 'key.expires_at < :expiresBefore',
};

export async function findKey(tx: EntityManager, workspaceId: string, id: string): Promise<ApiKey> {
  return found(await tx.findOneBy(ApiKey, { workspaceId, id }), id);
}

export interface Page {
  /** Id of the last key of the page before; empty for the first page. */
  after: string;
  limit: number;
}

/** In the order of creation. @returns one more than `limit` if there are more */
export async function listKeys(tx: EntityManager, workspaceId: string, filter: KeyFilter, page: Page, now: Date): Promise<ApiKey[]> {
  const query = tx
    .createQueryBuilder(ApiKey, 'key')
    .where('key.workspace_id = :workspaceId AND key.id > :after', { workspaceId, after: page.after })
    .orderBy('key.id')
    .take(page.limit + 1);
  for (const [name, condition] of Object.entries(conditions)) {
    const value = filter[name as keyof KeyFilter];
    if (value !== undefined) query.andWhere(condition, { [name]: value, now });
  }
  return query.getMany();
}

/** Locks them in the order of their ids, so that keys that change each other take turns. Those that don't exist are left out. */
export async function lockKeys(tx: EntityManager, workspaceId: string, ids: string[]): Promise<Map<string, ApiKey>> {
  const keys = await tx.find(ApiKey, { where: { workspaceId, id: In(ids) }, order: { id: 'ASC' }, lock: { mode: 'for_no_key_update' } });
  return new Map(keys.map((key) => [key.id, key]));
}

/** @throws ServiceError `conflict` when there is a key with this id, in whatever workspace */
export async function insertKey(tx: EntityManager, key: ApiKey): Promise<void> {
  await tx.insert(ApiKey, key).catch((error: unknown) => {
    const isTaken = error instanceof QueryFailedError && (error.driverError as { code?: string }).code === '23505';
    throw isTaken ? new ServiceError('conflict', 'There is a key with this id already.') : error;
  });
}

export async function updateKey(tx: EntityManager, { workspaceId, id }: ApiKey, changes: Partial<ApiKey>): Promise<void> {
  await tx.update(ApiKey, { workspaceId, id }, changes);
}

export function found(key: ApiKey | null | undefined, id: string): ApiKey {
  if (!key) throw notFound('key', id);
  return key;
}
