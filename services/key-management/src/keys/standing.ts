// Whether a key may still do what a gateway has let it in for, as it is when its change is made. Pure.
import type { Caller, Scope } from '@na/contracts';
import { ServiceError } from '@na/service-error';
import { areWithin } from './address-ranges.js';
import type { Grant } from './key-grant.js';
import { keyStatus, type Life } from './key-status.js';

type CallingKey = Life & Pick<Grant, 'scopes' | 'allowedIps'>;

/**
 * What was revoked, narrowed or suspended after the gateway had let the request in makes nothing any more.
 * @param needed for the change
 * @throws ServiceError `unauthenticated`, `address_not_allowed`, `workspace_suspended` or `insufficient_scope`, as a gateway would
 */
export function checkStanding(
  key: CallingKey | undefined,
  workspace: { suspendedAt: Date | null },
  { address }: Pick<Caller, 'address'>,
  needed: Scope,
  now: Date,
): asserts key {
  const status = key && keyStatus(key, workspace, now);
  if (status === 'suspended') throw new ServiceError('workspace_suspended', 'The workspace of this key is suspended. Ask the operator.');
  if (status !== 'valid') throw new ServiceError('unauthenticated', 'The calling key is no longer valid.');
  if (!areWithin([address], key!.allowedIps)) throw new ServiceError('address_not_allowed', `The API key may not be used from ${address}.`);
  if (!key!.scopes.includes(needed)) throw new ServiceError('insufficient_scope', `The calling key no longer has ${needed}.`);
}
