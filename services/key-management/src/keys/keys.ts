// Makes, shows, revokes and judges API keys. A change, its audit row and what others are told are one transaction.
import { KeySchema, publicJson, type Caller } from '@na/contracts';
import { appendToOutbox, type OutboxMessage, type OutboxRelay } from '@na/outbox';
import { notFound } from '@na/service-error';
import type { Clock } from '@na/service-host';
import { MoreThan, type DataSource, type EntityManager } from 'typeorm';
import { recordChange } from '../audit/audit-log.js';
import { isOperator } from '../caller.js';
import { Workspace } from '../workspaces/workspace.entity.js';
import { ApiKey, toProto } from './api-key.entity.js';
import type { KeyDigester } from './key-digest.js';
import { checkGrant, type Grant } from './key-grant.js';
import { createdMessages, revokedMessages } from './key-messages.js';
import { keyStatus, type KeyStatus } from './key-status.js';

export interface NewKey extends Grant {
  id: string;
  workspaceId: string;
  name: string;
  lastFour: string;
  secretDigest: Uint8Array;
}

export type Verification = { status: KeyStatus; key: ApiKey } | { status: 'unknown' | 'wrong_secret' };

export class Keys {
  constructor(
    private readonly database: DataSource,
    private readonly relay: OutboxRelay,
    private readonly digester: KeyDigester,
    private readonly clock: Clock,
  ) {}

  async create(caller: Caller, { secretDigest, ...wanted }: NewKey, callerGrant: Grant): Promise<ApiKey> {
    const now = this.clock.now();
    checkGrant(wanted, isOperator(caller) ? 'operator' : callerGrant, now);
    const key: ApiKey = { ...wanted, scopes: [...wanted.scopes], ...this.digester.store(secretDigest), version: 1, createdAt: now, revokedAt: null };
    return this.change(async (tx) => {
      await requireWorkspace(tx, caller, key.workspaceId);
      await tx.insert(ApiKey, key);
      await recordChange(tx, caller, { workspaceId: key.workspaceId, at: now, action: 'key.created', target: key.id, before: null, after: view(key, now) });
      return { result: key, messages: createdMessages(key) };
    });
  }

  async get(caller: Caller, id: string): Promise<ApiKey> {
    return found(await this.database.manager.findOneBy(ApiKey, { workspaceId: caller.workspaceId, id }), id);
  }

  /** In the order of creation. @returns one more than `limit` if there are more */
  async list(caller: Caller, limit: number, after: string): Promise<ApiKey[]> {
    return this.database.manager.find(ApiKey, { where: { workspaceId: caller.workspaceId, id: MoreThan(after) }, order: { id: 'ASC' }, take: limit + 1 });
  }

  /** Revoking again changes nothing: the answer is the key as it was revoked the first time. */
  async revoke(caller: Caller, id: string): Promise<ApiKey> {
    const { workspaceId } = caller;
    const now = this.clock.now();
    return this.change(async (tx) => {
      const key = found(await tx.findOne(ApiKey, { where: { workspaceId, id }, lock: { mode: 'pessimistic_write' } }), id);
      if (key.revokedAt) return { result: key, messages: [] };
      const revoked = { ...key, revokedAt: now, version: key.version + 1 };
      await tx.update(ApiKey, { workspaceId, id }, { revokedAt: now, version: revoked.version });
      await recordChange(tx, caller, { workspaceId, at: now, action: 'key.revoked', target: id, before: view(key, now), after: view(revoked, now) });
      return { result: revoked, messages: revokedMessages(revoked) };
    });
  }

  /** Judges a presented secret. Nothing of a key is said to whoever does not have its secret. */
  async verify(id: string, secretDigest: Uint8Array): Promise<Verification> {
    const key = await this.database.manager.findOneBy(ApiKey, { id });
    if (!this.digester.matches(key ?? undefined, secretDigest)) return { status: key ? 'wrong_secret' : 'unknown' };
    const workspace = await this.database.manager.findOneByOrFail(Workspace, { id: key!.workspaceId });
    return { status: keyStatus(key!, workspace, this.clock.now()), key: key! };
  }

  /** The moment by which statuses are judged. */
  now(): Date {
    return this.clock.now();
  }

  private async change<T>(work: (tx: EntityManager) => Promise<{ result: T; messages: OutboxMessage[] }>): Promise<T> {
    const result = await this.database.transaction(async (tx) => {
      const { result, messages } = await work(tx);
      await appendToOutbox(tx, messages);
      return result;
    });
    this.relay.wake();
    return result;
  }
}

async function requireWorkspace(tx: EntityManager, caller: Caller, id: string): Promise<void> {
  const allowed = isOperator(caller) || caller.workspaceId === id;
  if (!allowed || !(await tx.existsBy(Workspace, { id }))) throw notFound('workspace', id);
}

function found(key: ApiKey | null, id: string): ApiKey {
  if (!key) throw notFound('key', id);
  return key;
}

/** As the public API shows it, for the audit log. */
function view(key: ApiKey, now: Date) {
  return publicJson(KeySchema, toProto(key, now));
}
