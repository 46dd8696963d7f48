// How every change is made: the rows, the audit entry and what others are told in one transaction, and then, where a change
// narrows something, not a word to the caller before every gateway goes by it.
import { toBinary } from '@bufbuild/protobuf';
import { KeyChangedSchema, keyChangeSubject, type KeyChanged } from '@na/contracts';
import { appendToOutbox, type OutboxMessage, type OutboxRelay } from '@na/outbox';
import { inWorkspace, type SharedTurns } from '@na/service-host';
import type { DataSource, EntityManager } from 'typeorm';
import type { GatewayBarrier } from './gateways/barrier.js';

export interface Change<T> {
  result: T;
  messages: OutboxMessage[];
  /**
   * What every gateway must have applied before the caller is answered. Also given when nothing had to be changed: the one
   * who changed it may have died before the gateways knew.
   */
  awaited?: KeyChanged;
}

export class Changes {
  constructor(
    private readonly database: DataSource,
    private readonly relay: OutboxRelay,
    private readonly barrier: GatewayBarrier,
    /**
     * Those of a workspace wait for each other at its row anyway. They do so here, one at a time: with a connection each, a few
     * hundred changes of one workspace would hold up the revocations of all.
     */
    private readonly turns: SharedTurns,
  ) {}

  async make<T>(workspaceId: string, work: (tx: EntityManager) => Promise<Change<T>>): Promise<T> {
    const commit = () => inWorkspace(this.database, workspaceId, (tx) => tellingOthers(tx, work));
    const { result, awaited } = await this.turns.take(workspaceId, commit);
    this.relay.wake();
    if (awaited) await this.barrier.pass(awaited);
    return result;
  }
}

async function tellingOthers<T>(tx: EntityManager, work: (tx: EntityManager) => Promise<Change<T>>): Promise<Change<T>> {
  const change = await work(tx);
  await appendToOutbox(tx, change.messages);
  return change;
}

/** For the feed. The version makes the message id: one change is one message, however often the relay repeats it. */
export function feedMessage(change: KeyChanged): OutboxMessage {
  const { workspaceId, keyId, version } = change;
  const subject = keyChangeSubject(workspaceId, keyId || undefined);
  return { subject, body: toBinary(KeyChangedSchema, change), id: `${keyId || workspaceId}:${version}` };
}
