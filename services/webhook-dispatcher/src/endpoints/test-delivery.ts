// Test deliveries: a real event with the documented example as its data, logged like any other and delivered to one
// endpoint only, whatever that one is subscribed to.
import { context, propagation } from '@opentelemetry/api';
import { eventExamples, eventTypes, newEvent, type EventType } from '@na/contracts';
import { ServiceError } from '@na/service-error';
import { inWorkspace, type Clock } from '@na/service-host';
import type { DataSource } from 'typeorm';
import { typeid } from 'typeid-js';
import { deliveryId } from '../deliveries/delivery.js';
import { renderPayload } from '../deliveries/payload.js';
import type { EndpointStore } from './endpoint-store.js';

/** What is asked to be sent. */
export interface WantedTest {
  type: string;
  /** The same in each try of one request, as is `at`; empty for one that is chosen here. */
  id: string;
  at?: Date;
}

interface Test {
  id: string;
  endpointId: string;
  workspaceId: string;
  eventId: string;
  /** When the event happened. */
  at: Date;
  type: EventType;
  maxAttempts: number;
}

export class TestDeliveries {
  constructor(
    private readonly database: DataSource,
    private readonly store: EndpointStore,
    private readonly clock: Clock,
    /** Tells the due loop that a delivery is due. */
    private readonly wake: () => void,
  ) {}

  /**
   * One that an earlier try of the same request began is not begun again, also when the endpoint was disabled since.
   * @throws ServiceError `conflict` for a disabled endpoint, which is sent nothing
   */
  async send(workspaceId: string, endpointId: string, wanted: WantedTest): Promise<{ deliveryId: string; eventId: string }> {
    const type = knownEventType(wanted.type);
    const { status, retryPolicy } = await this.store.get(workspaceId, endpointId);
    const at = wanted.at ?? this.clock.now();
    const eventId = wanted.id || typeid('evt').toString();
    const id = deliveryId(eventId, endpointId, at);
    if (!(await this.isBegun(workspaceId, id, at))) {
      if (status === 'disabled') throw new ServiceError('conflict', 'This webhook is disabled, so nothing is sent to it. Enable it first.');
      await this.insert({ id, endpointId, workspaceId, eventId, at, type, maxAttempts: retryPolicy.maxAttempts });
      this.wake();
    }
    return { deliveryId: id, eventId };
  }

  private async isBegun(workspaceId: string, id: string, at: Date): Promise<boolean> {
    const begun = 'SELECT FROM deliveries WHERE workspace_id = $1 AND id = $2 AND event_at = $3';
    const rows = await inWorkspace(this.database, workspaceId, (tx) => tx.query<unknown[]>(begun, [workspaceId, id, at]));
    return rows.length > 0;
  }

  /**
   * One statement, so one transaction; of two tries at once one inserts. `only_endpoint_id` keeps replays from taking the event
   * for one that others missed.
   */
  private async insert({ id, endpointId, workspaceId, eventId, at, type, maxAttempts }: Test): Promise<void> {
    const event = newEvent({ id: eventId, type, workspaceId, createdAt: at, data: eventExamples[type].data });
    await inWorkspace(this.database, workspaceId, (tx) =>
      tx.query(
        `WITH logged AS (
           INSERT INTO events (id, event_at, workspace_id, type, payload, traceparent, only_endpoint_id) VALUES ($1, $2, $3, $4, $5, $6, $7)
           ON CONFLICT DO NOTHING
         )
         INSERT INTO deliveries (id, event_at, workspace_id, endpoint_id, event_id, event_type, max_attempts, due_at, status, attempts, created_at)
         VALUES ($8, $2, $3, $7, $1, $4, $9, $10, 'pending', 0, $10) ON CONFLICT DO NOTHING`,
        [eventId, at, workspaceId, type, renderPayload(event), currentTraceparent(), endpointId, id, maxAttempts, this.clock.now()],
      ),
    );
  }
}

function knownEventType(type: string): EventType {
  if ((eventTypes as string[]).includes(type)) return type as EventType;
  const detail = `There is no event type "${type}". Known are ${eventTypes.join(', ')}.`;
  throw new ServiceError('invalid_request', 'The event type is not known.', { fields: [{ pointer: '/event_type', code: 'unknown_event_type', detail }] });
}

function currentTraceparent(): string | null {
  const carrier: { traceparent?: string } = {};
  propagation.inject(context.active(), carrier);
  return carrier.traceparent ?? null;
}
