// Ends keys, by hand or because somebody shows a secret that has leaked.
import { create } from '@bufbuild/protobuf';
import { CallerSchema, type Caller } from '@na/contracts';
import type { Clock } from '@na/service-host';
import type { EntityManager } from 'typeorm';
import type { Change, Changes } from '../changes.js';
import { checkIfMatch } from '../precondition.js';
import { etag, type ApiKey, type RevokedReason } from './api-key.entity.js';
import { applyChange, lockToChange, unchanged } from './key-changes.js';
import { revokedEvent } from './key-messages.js';
import { lockKeys } from './key-store.js';
import type { Verifier } from './verification.js';

export class Revocation {
  constructor(
    private readonly changes: Changes,
    private readonly verifier: Pick<Verifier, 'verify' | 'isOpenedBy'>,
    private readonly clock: Clock,
  ) {}

  /** Revoking again changes nothing: the answer is the key as it was revoked the first time. */
  async revoke(caller: Caller, id: string, ifMatch?: string): Promise<ApiKey> {
    return this.changes.make(caller.workspaceId, async (tx) => {
      const { key, now } = await lockToChange(tx, caller, id, this.clock);
      if (key.revokedAt) return unchanged(key);
      checkIfMatch(ifMatch, etag(key, now));
      return revokeLocked(tx, caller, key, 'by_hand', now);
    });
  }

  /** Revokes the key that the secret opens, and no other. @returns whether it had not been revoked before */
  async revokeLeaked(id: string, secretDigest: Uint8Array, from: Pick<Caller, 'address' | 'requestId'>): Promise<boolean> {
    const { verdict } = await this.verifier.verify(id, secretDigest);
    if (!verdict) return false;
    const { workspaceId } = verdict;
    const reporter = create(CallerSchema, { ...from, workspaceId, actor: 'leak_report' });
    return this.changes.make(workspaceId, async (tx) => {
      const key = (await lockKeys(tx, workspaceId, [id])).get(id)!;
      const now = this.clock.now();
      if (key.revokedAt) return { ...unchanged(key), result: false };
      // A rotation may have come first: then what has leaked opens nothing any more.
      if (!this.verifier.isOpenedBy(key, secretDigest, now)) return { result: false, messages: [] };
      return { ...(await revokeLocked(tx, reporter, key, 'leaked', now)), result: true };
    });
  }
}

function revokeLocked(tx: EntityManager, caller: Caller, key: ApiKey, revokedReason: RevokedReason, now: Date): Promise<Change<ApiKey>> {
  const changes = { revokedAt: now, revokedReason, nextWarningAt: null };
  return applyChange(tx, caller, key, { action: 'key.revoked', changes, event: (after) => revokedEvent(after, now) }, now);
}
