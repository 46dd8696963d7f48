// Making, finding and cancelling replays. Carrying them out is the loop's.
import { notFound, ServiceError } from '@na/service-error';
import { insertOnce, inWorkspace, type Clock } from '@na/service-host';
import { LessThan, Not, type DataSource, type EntityManager } from 'typeorm';
import { typeid } from 'typeid-js';
import type { Count, Counting } from '../counting.js';
import type { Endpoint } from '../endpoints/endpoint.entity.js';
import type { Endpoints } from '../endpoints/endpoints.js';
import { countCandidates } from './candidates.js';
import { planReplay, type WantedReplay } from './replay-plan.js';
import { Replay } from './replay.entity.js';

/** Greater than every id: a list without a place to go on from begins with the newest. */
const afterAll = '~';

export class Replays {
  constructor(
    private readonly database: DataSource,
    private readonly endpoints: Endpoints,
    private readonly counting: Counting,
    private readonly clock: Clock,
    /** Tells the loop that a replay has begun. */
    private readonly wake: () => void,
  ) {}

  /**
   * Counts, and begins unless only the count was asked for. A dry run is also for an endpoint that is disabled or busy
   * with another replay: it tells what there would be. A replay that an earlier try of the same request made is shown as it
   * stands, though it may be itself what is running.
   * @param wantedId the same in each try of one request; empty for one that is chosen here
   * @throws ServiceError invalid_request, not_found or conflict
   */
  async create(workspaceId: string, endpointId: string, wantedId: string, wanted: WantedReplay): Promise<Replay> {
    const earlier = wantedId && (await inWorkspace(this.database, workspaceId, (tx) => tx.findOneBy(Replay, { id: wantedId, endpointId, workspaceId })));
    if (earlier) return earlier;
    const endpoint = await this.endpoints.get(workspaceId, endpointId);
    const now = this.clock.now();
    const plan = planReplay(wanted, now);
    if (!plan.dryRun && endpoint.status !== 'enabled') throw new ServiceError('conflict', 'The webhook is disabled. Enable it first.');
    if (!plan.dryRun) await this.refuseSecond(workspaceId, endpointId, wantedId);
    const scope = { ...plan, workspaceId, endpoint: filterOf(endpoint) };
    const counted = await this.counting.count(workspaceId, plan, (tx, part) => countCandidates(tx, scope, part));
    const status = firstStatus(plan.dryRun, counted);
    const replay: Replay = {
      ...plan,
      total: counted.count,
      totalIsPartial: counted.isPartial,
      id: wantedId || typeid('rpl').toString(),
      workspaceId,
      endpointId,
      status,
      done: 0,
      afterEventAt: plan.since,
      afterId: '',
      nextBatchAt: now,
      createdAt: now,
      completedAt: status === 'completed' ? now : null,
    };
    const own = { id: replay.id, endpointId, workspaceId };
    const { row, isNew } = await inWorkspace(this.database, workspaceId, (tx) => insertOnce(tx, Replay, replay, own, anotherIsRunning));
    if (isNew && status === 'running') this.wake();
    return row;
  }

  /** Before anything is counted; of two that are made at once, the index refuses one. @param ownId which another try may have made */
  private async refuseSecond(workspaceId: string, endpointId: string, ownId: string): Promise<void> {
    const isRunning = await inWorkspace(this.database, workspaceId, (tx) => tx.existsBy(Replay, { endpointId, workspaceId, status: 'running', id: Not(ownId) }));
    if (isRunning) throw anotherIsRunning();
  }

  get(workspaceId: string, endpointId: string, id: string): Promise<Replay> {
    return inWorkspace(this.database, workspaceId, (tx) => find(tx, { id, endpointId, workspaceId }));
  }

  /** Newest first; one more than `limit`, so that the caller knows whether there are more. */
  async list(workspaceId: string, endpointId: string, after: string, limit: number): Promise<Replay[]> {
    await this.endpoints.get(workspaceId, endpointId);
    const where = { workspaceId, endpointId, id: LessThan(after || afterAll) };
    return inWorkspace(this.database, workspaceId, (tx) => tx.find(Replay, { where, order: { id: 'DESC' }, take: limit + 1 }));
  }

  /**
   * What was made due already is still delivered.
   * @param isRepeat an earlier try of the same request may have cancelled it already
   * @throws ServiceError not_found, or conflict when it is not running
   */
  async cancel(workspaceId: string, endpointId: string, id: string, isRepeat: boolean): Promise<Replay> {
    const own = { id, endpointId, workspaceId };
    return inWorkspace(this.database, workspaceId, async (tx) => {
      const { affected } = await tx.update(Replay, { ...own, status: 'running' }, { status: 'cancelled', completedAt: this.clock.now() });
      const replay = await find(tx, own);
      const isCancelled = affected === 1 || (isRepeat && replay.status === 'cancelled');
      if (!isCancelled) throw new ServiceError('conflict', `The replay is not running: it is ${replay.status}.`);
      return replay;
    });
  }
}

/** One that finds nothing is over at once, so that it is in nobody's way. */
function firstStatus(dryRun: boolean, { count, isPartial }: Count): Replay['status'] {
  if (dryRun) return 'planned';
  return count === 0 && !isPartial ? 'completed' : 'running';
}

async function find(tx: EntityManager, own: Pick<Replay, 'id' | 'endpointId' | 'workspaceId'>): Promise<Replay> {
  const replay = await tx.findOneBy(Replay, own);
  if (!replay) throw notFound('replay', own.id);
  return replay;
}

/** The index on running replays decides who comes first when two are made at once. */
function anotherIsRunning(): ServiceError {
  return new ServiceError('conflict', 'Another replay of this webhook is running. Wait for its end, or cancel it.');
}

function filterOf({ id, eventTypes, pageIds }: Endpoint) {
  return { endpointId: id, eventTypes, pageIds };
}
