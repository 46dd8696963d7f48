// Test deliveries: a real event with the documented example as its data, logged like any other and delivered to one
// endpoint only, whatever that one is subscribed to.
import { context, propagation } from '@opentelemetry/api';
import { eventExamples, eventTypes, newEvent, type EventType } from '@na/contracts';
import { ServiceError } from '@na/service-error';
import { inWorkspace, type Clock } from '@na/service-host';
import type { DataSource } from 'typeorm';
import { deliveryId } from '../deliveries/delivery.js';
import { renderPayload } from '../deliveries/payload.js';
import type { EndpointStore } from './endpoint-store.js';

export class TestDeliveries {
  constructor(
    private readonly database: DataSource,
    private readonly store: EndpointStore,
    private readonly clock: Clock,
    /** Tells the due loop that a delivery is due. */
    private readonly wake: () => void,
  ) {}

  /** @throws ServiceError `conflict` for a disabled endpoint, which is sent nothing */
  async send(workspaceId: string, endpointId: string, eventType: string): Promise<{ deliveryId: string; eventId: string }> {
    const type = knownEventType(eventType);
    const { status, retryPolicy } = await this.store.get(workspaceId, endpointId);
    if (status === 'disabled') throw new ServiceError('conflict', 'This webhook is disabled, so nothing is sent to it. Enable it first.');
    const now = this.clock.now();
    const event = newEvent({ type, workspaceId, createdAt: now, data: eventExamples[type].data });
    const id = deliveryId(event.id, endpointId, now);
    await this.insert({ id, endpointId, workspaceId, eventId: event.id, type, payload: renderPayload(event), maxAttempts: retryPolicy.maxAttempts, now });
    this.wake();
    return { deliveryId: id, eventId: event.id };
  }

  /** `only_endpoint_id` keeps replays from taking the event for one that others missed. */
  private async insert(test: { id: string; endpointId: string; workspaceId: string; eventId: string; type: string; payload: Buffer; maxAttempts: number; now: Date }) {
    const { id, endpointId, workspaceId, eventId, type, payload, maxAttempts, now } = test;
    await inWorkspace(this.database, workspaceId, (tx) =>
      tx.query(
        `WITH logged AS (
           INSERT INTO events (id, event_at, workspace_id, type, payload, traceparent, only_endpoint_id) VALUES ($1, $2, $3, $4, $5, $6, $7)
         )
         INSERT INTO deliveries (id, event_at, workspace_id, endpoint_id, event_id, event_type, max_attempts, due_at, status, attempts, created_at)
         VALUES ($8, $2, $3, $7, $1, $4, $9, $2, 'pending', 0, $2)`,
        [eventId, now, workspaceId, type, payload, currentTraceparent(), endpointId, id, maxAttempts],
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
