// Test deliveries: a real event with the documented example as its data, logged like any other and delivered to one
// endpoint only, whatever that one is subscribed to. One to an endpoint that is disabled, paused or ordered, for whoever has just mended
// a server, is attempted once and past the schedule, which leaves such endpoints out, or has it wait for its turn.
import { context, propagation } from '@opentelemetry/api';
import { eventExamples, eventTypes, newEvent, type EventType } from '@na/contracts';
import { ServiceError } from '@na/service-error';
import { inWorkspace, type Clock } from '@na/service-host';
import type { DataSource, EntityManager } from 'typeorm';
import { typeid } from 'typeid-js';
import type { DueDelivery, Target } from '../deliveries/delivery.js';
import { deliveryId } from '../deliveries/ids.js';
import type { DirectAttempts } from '../deliveries/direct-attempts.js';
import { endpointColumns, targetOf, type EndpointRow } from '../deliveries/endpoint-row.js';
import { leaseMs } from '../deliveries/fan-out.js';
import { renderPayload } from '../deliveries/payload.js';
import type { Endpoint } from './endpoint.entity.js';
import type { EndpointStore } from './endpoint-store.js';
import { unknownEventType } from './event-filter.js';
import type { SecretBox } from './secret-box.js';

/** What is asked to be sent. */
export interface WantedTest {
  type: string;
  /** The same in each try of one request, as is `at`; empty for one that is chosen here. */
  id: string;
  at?: Date;
}

interface Test {
  id: string;
  endpoint: Endpoint;
  eventId: string;
  /** When the event happened. */
  at: Date;
  type: EventType;
  maxAttempts: number;
  dueAt: Date;
  /** Number of the replica that has the lease of it until then. */
  leasedBy: number | null;
}

type Facts = Pick<Test, 'id' | 'endpoint' | 'eventId' | 'at' | 'type'>;

export class TestDeliveries {
  constructor(
    private readonly database: DataSource,
    private readonly store: EndpointStore,
    private readonly secrets: SecretBox,
    private readonly direct: DirectAttempts,
    private readonly clock: Clock,
    /** Has a delivery that is due attempted, before all else that waits for its endpoint. Never rejects. */
    private readonly attemptFirst: (id: string, eventAt: Date) => Promise<void>,
  ) {}

  /**
   * One that an earlier try of the same request began is not begun again, also when the endpoint was disabled since.
   * @throws ServiceError `conflict` while an earlier one to the same disabled, paused or ordered endpoint is under way
   */
  async send(workspaceId: string, endpointId: string, wanted: WantedTest): Promise<{ deliveryId: string; eventId: string }> {
    const type = knownEventType(wanted.type);
    const endpoint = await this.store.get(workspaceId, endpointId);
    const at = wanted.at ?? this.clock.now();
    const eventId = wanted.id || typeid('evt').toString();
    const id = deliveryId(eventId, endpointId, at);
    if (!(await this.isBegun(workspaceId, id, at))) {
      const test = { id, endpoint, eventId, at, type };
      await (this.isLeftOut(endpoint) ? this.attemptOnce(test) : this.schedule(test));
    }
    return { deliveryId: id, eventId };
  }

  /** Of an ordered endpoint the schedule would send it only after all else that waits, which may be what keeps the endpoint from being well. */
  private isLeftOut({ status, ordered, pausedUntil }: Endpoint): boolean {
    return status === 'disabled' || ordered || (pausedUntil !== null && pausedUntil > this.clock.now());
  }

  private async schedule(test: Facts): Promise<void> {
    await this.insert({ ...test, maxAttempts: test.endpoint.retryPolicy.maxAttempts, dueAt: this.clock.now(), leasedBy: null });
    await this.attemptFirst(test.id, test.at);
  }

  /** Should this process die before it is recorded, the delivery waits like all others until the endpoint is enabled, or its pause over. */
  private async attemptOnce(test: Facts): Promise<void> {
    const endpointId = test.endpoint.id;
    if (this.direct.isBusy(endpointId)) throw new ServiceError('conflict', 'A test delivery to this webhook, which is disabled, paused or ordered, is under way. Wait for its outcome.');
    const leasedUntil = new Date(this.clock.now().getTime() + leaseMs);
    const inserted = this.insert({ ...test, maxAttempts: 1, dueAt: leasedUntil, leasedBy: this.direct.replica });
    await this.direct.make(endpointId, inserted.then((delivery) => delivery && { ...delivery, isOnlyAttempt: true }));
  }

  private async isBegun(workspaceId: string, id: string, at: Date): Promise<boolean> {
    const begun = 'SELECT FROM deliveries WHERE workspace_id = $1 AND id = $2 AND event_at = $3';
    const rows = await inWorkspace(this.database, workspaceId, (tx) => tx.query<unknown[]>(begun, [workspaceId, id, at]));
    return rows.length > 0;
  }

  /**
   * One statement, so one transaction; of two tries at once one inserts. `only_endpoint_id` keeps replays from taking the event
   * for one that others missed.
   * @returns undefined when another try was first
   */
  private async insert({ id, endpoint, eventId, at, type, maxAttempts, dueAt, leasedBy }: Test): Promise<DueDelivery | undefined> {
    const { id: endpointId, workspaceId } = endpoint;
    const now = this.clock.now();
    const event = newEvent({ id: eventId, type, workspaceId, createdAt: at, data: eventExamples[type].data });
    const payload = renderPayload(event);
    const traceparent = currentTraceparent();
    return inWorkspace(this.database, workspaceId, async (tx) => {
      const inserted = await tx.query<unknown[]>(
        `WITH logged AS (
           INSERT INTO events (id, event_at, workspace_id, type, payload, traceparent, only_endpoint_id) VALUES ($1, $2, $3, $4, $5, $6, $7)
           ON CONFLICT DO NOTHING
         )
         INSERT INTO deliveries (id, event_at, workspace_id, endpoint_id, event_id, event_type, max_attempts, due_at, status, attempts, created_at, leased_by)
         VALUES ($8, $2, $3, $7, $1, $4, $9, $10, 'pending', 0, $11, $12) ON CONFLICT DO NOTHING RETURNING id`,
        [eventId, at, workspaceId, type, payload, traceparent, endpointId, id, maxAttempts, dueAt, now, leasedBy],
      );
      if (inserted.length === 0) return undefined;
      const target = await this.targetIn(tx, endpointId);
      return { id, eventAt: at, workspaceId, eventId, eventType: type, payload, traceparent, attempts: 0, maxAttempts, attemptsBeforeRun: 0, takenAt: now, leasedUntil: dueAt, target };
    });
  }

  private async targetIn(tx: EntityManager, endpointId: string): Promise<Target> {
    const [row] = await tx.query<EndpointRow[]>(`SELECT ${endpointColumns} FROM endpoints p WHERE p.id = $1`, [endpointId]);
    return targetOf(row!, this.secrets);
  }
}

function knownEventType(type: string): EventType {
  if ((eventTypes as string[]).includes(type)) return type as EventType;
  throw unknownEventType(`There is no event type "${type}".`);
}

function currentTraceparent(): string | null {
  const carrier: { traceparent?: string } = {};
  propagation.inject(context.active(), carrier);
  return carrier.traceparent ?? null;
}
