// The key that a change is asked with, as it is in the change's own transaction.
import type { Caller } from '@na/contracts';
import { ServiceError } from '@na/service-error';
import type { Clock } from '@na/service-host';
import type { EntityManager } from 'typeorm';
import { isOperator } from '../caller.js';
import type { ApiKey } from './api-key.entity.js';
import type { Maker } from './key-grant.js';
import { shownStatus } from './key-status.js';
import { lockKeys } from './key-store.js';

/** Locks it until the change is made, which is the moment that is returned. @throws ServiceError `unauthenticated` */
export async function lockCaller(tx: EntityManager, caller: Caller, clock: Clock): Promise<{ maker: Maker; now: Date }> {
  const locked = isOperator(caller) ? new Map<string, ApiKey>() : await lockKeys(tx, caller.workspaceId, [caller.actor]);
  const now = clock.now();
  return { now, maker: makerAmong(locked, caller, now) };
}

/**
 * Of keys that are locked already: one that was revoked after the gateway had let its request in makes nothing any more.
 * @throws ServiceError `unauthenticated`
 */
export function makerAmong(locked: Map<string, ApiKey>, caller: Caller, now: Date): Maker {
  if (isOperator(caller)) return 'operator';
  const own = locked.get(caller.actor);
  if (!own || shownStatus(own, now) !== 'active') throw new ServiceError('unauthenticated', 'The calling key is no longer valid.');
  return own;
}
