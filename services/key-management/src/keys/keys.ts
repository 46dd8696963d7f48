// Makes, shows and changes API keys. They end in revocation.ts; which requests they let in is judged in verification.ts.
import type { Caller } from '@na/contracts';
import { notFound, ServiceError } from '@na/service-error';
import { inWorkspace, type Clock } from '@na/service-host';
import type { DataSource, EntityManager } from 'typeorm';
import { isOperator } from '../caller.js';
import { feedMessage, type Changes } from '../changes.js';
import { checkIfMatch } from '../precondition.js';
import { requireWorkspace } from '../workspaces/workspace-store.js';
import { ApiKey, etag } from './api-key.entity.js';
import { lockFor } from './calling-key.js';
import { nextWarningAt } from './expiry-warnings.js';
import { applyChange, auditKey, lockToChange, unchanged } from './key-changes.js';
import { canonicalIps, checkAdded, checkGrant, checkHeld, type Grant } from './key-grant.js';
import type { KeyDigester } from './key-digest.js';
import { changeOf, createdEvent, rotatedEvent } from './key-messages.js';
import { changesOf, type KeyPatch } from './key-patch.js';
import { shownStatus } from './key-status.js';
import { findKey, insertKey, listKeys, type KeyFilter, type Page } from './key-store.js';
import { checkRoom } from './living-keys.js';
import { isNarrower } from './narrowing.js';
import type { Rate } from './rate.js';
import { checkRotatable, maxOverlapSeconds, rotated, rotationsAfter, type Rotation } from './rotation.js';

export interface NewKey extends Grant {
  id: string;
  workspaceId: string;
  name: string;
  lastFour: string;
  secretDigest: Uint8Array;
}

/** What a creation or a rotation came to. */
export interface Made {
  key: ApiKey;
  /** An earlier try of the same request made it, with a secret of its own. */
  isRepeat: boolean;
}

/** What the operator has decided about keys. */
export interface KeyPolicy {
  /** Of keys without a limit of their own. */
  standardRate: Rate;
  /** Days before a key's expiry at which its owners are told. */
  warningDays: readonly number[];
  /** Keys that are neither revoked nor expired. */
  maxPerWorkspace: number;
}

export class Keys {
  constructor(
    private readonly database: DataSource,
    private readonly changes: Changes,
    private readonly digester: KeyDigester,
    private readonly clock: Clock,
    private readonly policy: KeyPolicy,
  ) {}

  /**
   * @param isRepeat an earlier try of the same request may have made the key
   * @throws ServiceError `conflict` when there is a key with this id otherwise, or no room for another one
   */
  async create(caller: Caller, { secretDigest, ...wanted }: NewKey, isRepeat: boolean): Promise<Made> {
    const { workspaceId, id } = wanted;
    if (!isOperator(caller) && caller.workspaceId !== workspaceId) throw notFound('workspace', workspaceId);
    const grant = { ...wanted, scopes: [...new Set(wanted.scopes)], allowedIps: canonicalIps(wanted.allowedIps) };
    const secret = this.digester.store(secretDigest);
    return this.changes.make<Made>(workspaceId, async (tx) => {
      const { maker, now } = await lockFor(tx, caller, { workspaceId, needed: 'keys:write' }, this.clock);
      const earlier = isRepeat ? await tx.findOneBy(ApiKey, { workspaceId, id }) : null;
      if (earlier) return { result: { key: earlier, isRepeat: true }, messages: [] };
      checkGrant(grant, Object.keys(grant), now);
      checkHeld(grant, maker, this.policy.standardRate);
      await checkRoom(tx, workspaceId, this.policy.maxPerWorkspace, now);
      const key: ApiKey = { ...unused, ...grant, ...secret, createdAt: now, nextWarningAt: this.warningOf(grant, now) };
      await insertKey(tx, key);
      await auditKey(tx, caller, { action: 'key.created', before: null, after: key, now });
      return { result: { key, isRepeat: false }, messages: [createdEvent(key), feedMessage(changeOf({ id, workspaceId, version: key.version }))] };
    });
  }

  get(caller: Caller, id: string): Promise<ApiKey> {
    return this.read(caller, (tx) => findKey(tx, caller.workspaceId, id));
  }

  /** In the order of creation. @returns one more than `limit` if there are more */
  list(caller: Caller, filter: KeyFilter, page: Page): Promise<ApiKey[]> {
    return this.read(caller, (tx) => listKeys(tx, caller.workspaceId, filter, page, this.clock.now()));
  }

  /**
   * An expired key can be given more time, by whoever could have made it now.
   * @throws ServiceError `conflict` for a revoked key, which stays as it is, and for an expired one that there is no room for
   */
  async update(caller: Caller, id: string, patch: KeyPatch, ifMatch?: string): Promise<ApiKey> {
    const wanted = patch.allowedIps ? { ...patch, allowedIps: canonicalIps(patch.allowedIps) } : patch;
    return this.changes.make(caller.workspaceId, async (tx) => {
      const { key, maker, now } = await lockToChange(tx, caller, id, this.clock);
      checkIfMatch(ifMatch, etag(key, now));
      if (key.revokedAt) throw new ServiceError('conflict', 'The key is revoked, which is final.');
      const changes = changesOf(key, wanted, now);
      if (Object.keys(changes).length === 0) return unchanged(key);
      const after = { ...key, ...changes };
      checkGrant(after, Object.keys(changes), now);
      checkAdded(key, after, maker, this.policy.standardRate);
      if ('expiresAt' in changes) {
        if (shownStatus(key, now) === 'expired') await checkRoom(tx, key.workspaceId, this.policy.maxPerWorkspace, now);
        changes.nextWarningAt = this.warningOf(after, now);
      }
      const change = await applyChange(tx, caller, key, { action: 'key.updated', changes }, now);
      return isNarrower(key, after, this.policy.standardRate) ? change : { ...change, awaited: undefined };
    });
  }

  /** The secret so far works on until the overlap is over. Only a key that may do as much itself takes another one over. */
  async rotate(caller: Caller, id: string, { rotationId, secretDigest, lastFour, overlapSeconds }: Rotation, ifMatch?: string): Promise<Made> {
    if (overlapSeconds > maxOverlapSeconds) throw overlapTooLong;
    const stored = { ...this.digester.store(secretDigest), lastFour };
    return this.changes.make<Made>(caller.workspaceId, async (tx) => {
      const { key, maker, now } = await lockToChange(tx, caller, id, this.clock);
      if (key.rotationIds.includes(rotationId)) return { ...unchanged(key), result: { key, isRepeat: true } };
      checkIfMatch(ifMatch, etag(key, now));
      checkRotatable(key, now);
      checkHeld(key, maker, this.policy.standardRate);
      const changes = { ...rotated(key, stored, overlapSeconds, now), rotationIds: rotationsAfter(key.rotationIds, rotationId) };
      const change = await applyChange(tx, caller, key, { action: 'key.rotated', changes, event: (after) => rotatedEvent(after, now) }, now);
      return { ...change, result: { key: change.result, isRepeat: false } };
    });
  }

  /** The moment by which statuses are judged. */
  now(): Date {
    return this.clock.now();
  }

  private read<T>(caller: Caller, work: (tx: EntityManager) => Promise<T>): Promise<T> {
    return inWorkspace(this.database, caller.workspaceId, async (tx) => {
      await requireWorkspace(tx, caller);
      return work(tx);
    });
  }

  private warningOf({ expiresAt }: Pick<ApiKey, 'expiresAt'>, now: Date): Date | null {
    return nextWarningAt(expiresAt, this.policy.warningDays, now);
  }
}

const overlapTooLong = new ServiceError('invalid_request', 'The overlap is too long.', {
  fields: [{ pointer: '/overlap_seconds', code: 'out_of_range', detail: `Must be at most ${maxOverlapSeconds}.` }],
});

/** A key that nothing has happened to yet. */
const unused = {
  version: 1,
  previousSecretMac: null,
  previousPepperVersion: null,
  previousEndsAt: null,
  rotatedAt: null,
  rotationIds: [],
  disabledAt: null,
  revokedAt: null,
  revokedReason: null,
  lastUsedAt: null,
};
