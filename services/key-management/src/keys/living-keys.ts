// How many keys a workspace may have. Those that are revoked or have expired stay listed and are not counted.
import { ServiceError } from '@na/service-error';
import { IsNull, MoreThan, type EntityManager } from 'typeorm';
import { ApiKey } from './api-key.entity.js';

/**
 * For one key more. Exact, because whoever makes or revives a key has the workspace locked.
 * @throws ServiceError `conflict`
 */
export async function checkRoom(tx: EntityManager, workspaceId: string, max: number, now: Date): Promise<void> {
  const unrevoked = { workspaceId, revokedAt: IsNull() };
  const living = await tx.countBy(ApiKey, [{ ...unrevoked, expiresAt: IsNull() }, { ...unrevoked, expiresAt: MoreThan(now) }]);
  if (living >= max) throw new ServiceError('conflict', `The workspace has ${living} keys, and may have ${max} that are neither revoked nor expired. Revoke one first.`);
}
