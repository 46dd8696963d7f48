// Turns each event into one delivery for every endpoint that wants it. An event is acknowledged once its deliveries are
// in the table; from then on they are found whatever happens to this process.
import { context, propagation } from '@opentelemetry/api';
import type { Envelope, EnvelopeSchema } from '@na/contracts';
import type { Received } from '@na/messaging';
import type { Clock } from '@na/service-host';
import { wantsEvent } from '../endpoints/event-filter.js';
import { deliveryId, type DueDelivery, type Target } from './delivery.js';
import type { Lanes } from './lanes.js';
import { eventTime, renderPayload } from './payload.js';

export interface Subscription {
  workspaceId: string;
  eventTypes: string[];
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
  ) {}

  async handle(batch: Received<typeof EnvelopeSchema>[]): Promise<void> {
    const events = batch.map(toLoggedEvent);
    const subscriptions = await this.tables.subscriptionsOf([...new Set(events.map(({ event }) => event.workspaceId))]);
    const now = this.clock.now();
    const deliveries = events.flatMap((event) => this.deliveriesOf(event, subscriptions, now));
    const fresh = await this.tables.insert(events, deliveries, now);
    // Deleting as we go: an event that came twice in one batch stands twice in the list, but is one row.
    for (const delivery of deliveries) if (delivery.leased && fresh.delete(delivery.id)) this.lanes.add(delivery);
  }

  private deliveriesOf(logged: LoggedEvent, subscriptions: Subscription[], now: Date): NewDelivery[] {
    const { event, eventAt, payload, traceparent } = logged;
    return subscriptions
      .filter(({ workspaceId, eventTypes }) => workspaceId === event.workspaceId && wantsEvent(eventTypes, event.type))
      .map(({ target }) => ({
        id: deliveryId(event.id, target.endpointId, eventAt),
        eventAt,
        workspaceId: event.workspaceId,
        eventId: event.id,
        eventType: event.type,
        payload,
        traceparent,
        attempts: 0,
        leasedUntil: new Date(now.getTime() + leaseMs),
        leased: this.lanes.hasRoom(target.endpointId),
        target,
      }));
  }
}

function toLoggedEvent({ message, trace }: Received<typeof EnvelopeSchema>): LoggedEvent {
  const carrier: { traceparent?: string } = {};
  propagation.inject(trace ?? context.active(), carrier);
  return { event: message, eventAt: eventTime(message), payload: renderPayload(message), traceparent: carrier.traceparent ?? null };
}
