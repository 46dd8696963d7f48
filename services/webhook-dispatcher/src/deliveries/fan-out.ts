// Turns each event into one delivery for every endpoint that wants it. An event is acknowledged once its deliveries are
// in the table; from then on they are found whatever happens to this process.
import { context, propagation } from '@opentelemetry/api';
import type { Envelope, EnvelopeSchema } from '@na/contracts';
import type { Received } from '@na/messaging';
import type { Clock } from '@na/service-host';
import { wants, type EventSubject } from '../endpoints/event-filter.js';
import { deliveryId, type DueDelivery, type Target } from './delivery.js';
import type { Lanes } from './lanes.js';
import { eventTime, renderPayload } from './payload.js';

export interface Subscription {
  workspaceId: string;
  eventTypes: string[];
  /** Empty for all. */
  pageIds: string[];
  target: Target;
}

export interface LoggedEvent {
  event: Envelope;
  eventAt: Date;
  payload: Buffer;
  traceparent: string | null;
}

/** A delivery to be written: held by this replica when it is leased, free for any when not. */
export interface NewDelivery extends DueDelivery {
  leased: boolean;
}

/** What fan-out needs of the stores. */
export interface FanOutTables {
  subscriptionsOf(workspaceIds: string[]): Promise<Subscription[]>;
  /** Writes both in one transaction; what is there already stays. @returns ids of the deliveries that are new */
  insert(events: LoggedEvent[], deliveries: NewDelivery[], now: Date): Promise<Set<string>>;
}

/** Longer than the longest time-out, so that an attempt in flight is never also someone else's. */
export const leaseMs = 60_000;

export class FanOut {
  constructor(
    private readonly tables: FanOutTables,
    private readonly lanes: Lanes,
    private readonly clock: Clock,
    /** Tells the due loop that it will find something. */
    private readonly wakeDueLoop: () => void,
  ) {}

  async handle(batch: Received<typeof EnvelopeSchema>[]): Promise<void> {
    const events = batch.map(toLoggedEvent);
    const now = this.clock.now();
    const subscriptions = await this.tables.subscriptionsOf([...new Set(events.map(({ event }) => event.workspaceId))]);
    const deliveries = events.flatMap((event) => this.deliveriesOf(event, subscriptions, now));
    const fresh = await this.tables.insert(events, deliveries, now);
    // Deleting as we go: an event that came twice in one batch stands twice in the list, but is one row.
    for (const delivery of deliveries) if (delivery.leased && fresh.delete(delivery.id)) this.lanes.add(delivery);
    if (deliveries.some(({ leased, target }) => !leased && target.ordered)) this.wakeDueLoop();
  }

  private deliveriesOf(logged: LoggedEvent, subscriptions: Subscription[], now: Date): NewDelivery[] {
    const { event, eventAt, payload, traceparent } = logged;
    const about = (event.data.value ?? {}) as EventSubject;
    return subscriptions
      .filter(({ workspaceId, eventTypes, pageIds, target: { endpointId } }) => workspaceId === event.workspaceId && wants({ eventTypes, pageIds, endpointId }, event.type, about))
      .map(({ target }) => ({
        id: deliveryId(event.id, target.endpointId, eventAt),
        eventAt,
        workspaceId: event.workspaceId,
        eventId: event.id,
        eventType: event.type,
        payload,
        traceparent,
        attempts: 0,
        maxAttempts: target.retryPolicy.maxAttempts,
        takenAt: now,
        leasedUntil: new Date(now.getTime() + leaseMs),
        // The order of events is kept in the database, by the due loop.
        leased: !target.ordered && this.lanes.hasRoom(target.endpointId),
        target,
      }));
  }
}

function toLoggedEvent({ message, trace }: Received<typeof EnvelopeSchema>): LoggedEvent {
  const carrier: { traceparent?: string } = {};
  propagation.inject(trace ?? context.active(), carrier);
  return { event: message, eventAt: eventTime(message), payload: renderPayload(message), traceparent: carrier.traceparent ?? null };
}
