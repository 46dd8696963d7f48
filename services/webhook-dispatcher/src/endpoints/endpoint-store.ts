// Endpoints in their table, always within one workspace. A deleted one is not found any more; its row stays for as long
// as its deliveries are to be explained. Every change ends with all replicas knowing of it: an event that is published after
// the answer is delivered as the answer says.
import { notFound } from '@na/service-error';
import { insertOnce, inWorkspace } from '@na/service-host';
import { IsNull, MoreThan, type DataSource } from 'typeorm';
import { Endpoint } from './endpoint.entity.js';

export class EndpointStore {
  constructor(
    private readonly database: DataSource,
    /** Resolves when all replicas go by what has been committed, or can't any longer go by what was before. Never rejects. */
    private readonly tellReplicas: (endpoint: Endpoint) => Promise<void>,
  ) {}

  async get(workspaceId: string, id: string): Promise<Endpoint> {
    const endpoint = await inWorkspace(this.database, workspaceId, (tx) => tx.findOneBy(Endpoint, { id, workspaceId, deletedAt: IsNull() }));
    if (!endpoint) throw notFound('webhook', id);
    return endpoint;
  }

  /** Oldest first; one more than `limit`, so that the caller knows whether there are more. */
  async list(workspaceId: string, after: string, limit: number): Promise<Endpoint[]> {
    const where = { workspaceId, id: MoreThan(after), deletedAt: IsNull() };
    return inWorkspace(this.database, workspaceId, (tx) => tx.find(Endpoint, { where, order: { id: 'ASC' }, take: limit + 1 }));
  }

  /**
   * @returns the endpoint as it stands by now, when an earlier try of the same request inserted it
   * @throws ServiceError from `admit`, which is told how many others the workspace has: two at once take turns. An endpoint that
   * is there already is not judged again
   */
  async insert(endpoint: Endpoint, admit: (others: number) => void): Promise<Endpoint> {
    const { workspaceId, id } = endpoint;
    const { row } = await inWorkspace(this.database, workspaceId, async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(hashtext('endpoints'), hashtext($1))`, [workspaceId]);
      const once = await insertOnce(tx, Endpoint, endpoint, { workspaceId, id });
      if (once.isNew) admit((await tx.countBy(Endpoint, { workspaceId, deletedAt: IsNull() })) - 1);
      return once;
    });
    if (row.deletedAt) throw notFound('webhook', id);
    await this.tellReplicas(row);
    return row;
  }

  /**
   * Locks the endpoint, so that what is decided from its state is decided from the latest.
   * @param decide returns what changes
   * @returns the endpoint before and after
   */
  async change(
    workspaceId: string,
    id: string,
    decide: (endpoint: Endpoint) => Partial<Endpoint>,
  ): Promise<{ before: Endpoint; after: Endpoint }> {
    const change = await inWorkspace(this.database, workspaceId, async (tx) => {
      const before = await tx.findOne(Endpoint, { where: { id, workspaceId, deletedAt: IsNull() }, lock: { mode: 'pessimistic_write' } });
      if (!before) throw notFound('webhook', id);
      const changes = decide(before);
      if (Object.keys(changes).length > 0) await tx.update(Endpoint, { id }, changes);
      return { before, after: { ...before, ...changes } };
    });
    await this.tellReplicas(change.after);
    return change;
  }
}
