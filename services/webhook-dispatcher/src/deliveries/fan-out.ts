// Turns each event into one delivery for every endpoint that wants it. An event is acknowledged once its deliveries are
// in the table; from then on they are found whatever happens to this process. Deliveries to endpoints that answer quickly
// get there already finished: see write-ahead.ts.
import { context, propagation } from '@opentelemetry/api';
import type { Envelope, EnvelopeSchema } from '@na/contracts';
import type { Received } from '@na/messaging';
import type { Clock } from '@na/service-host';
import { wants, type EventSubject } from '../endpoints/event-filter.js';
import { deliveryId, type DueDelivery, type Target } from './delivery.js';
import type { Lanes } from './lanes.js';
import { eventTime, renderPayload } from './payload.js';
import { RecentEvents } from './recent-events.js';
import type { WriteAhead } from './write-ahead.js';

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

interface PlannedEvent {
  event: LoggedEvent;
  deliveries: NewDelivery[];
}

/** Longer than the longest time-out, so that an attempt in flight is never also someone else's. */
export const leaseMs = 60_000;

export class FanOut {
  private readonly recent = new RecentEvents();

  constructor(
    private readonly tables: FanOutTables,
    private readonly lanes: Lanes,
    private readonly writeAhead: WriteAhead,
    private readonly clock: Clock,
    /** Tells the due loop that it will find something. */
    private readonly wakeDueLoop: () => void,
  ) {}

  async handle(batch: Received<typeof EnvelopeSchema>[]): Promise<void> {
    const now = this.clock.now();
    const events = batch.map(toLoggedEvent);
    const subscriptions = await this.tables.subscriptionsOf([...new Set(events.map(({ event }) => event.workspaceId))]);
    const held: PlannedEvent[] = [];
    const others: PlannedEvent[] = [];
    for (const [index, event] of events.entries()) {
      const planned = { event, deliveries: this.deliveriesOf(event, subscriptions, now) };
      // A message that was handed out before may have been dealt with: only the table knows.
      const isNew = batch[index]!.tries === 1 && !held.some((one) => one.event.event.id === event.event.id) && !this.recent.has(event.event.id);
      (isNew && this.areQuick(planned.deliveries) ? held : others).push(planned);
    }
    const attempted = this.attemptFirst(held);
    for (const { event } of held) this.recent.remember(event.event.id, attempted);
    await Promise.all([attempted, this.writeFirst(others, now)]);
  }

  /** Whether the event's deliveries are likely to be done in a moment. */
  private areQuick(deliveries: NewDelivery[]): boolean {
    return deliveries.length > 0 && deliveries.every(({ target }) => !target.ordered && this.lanes.isQuick(target.endpointId));
  }

  private async attemptFirst(planned: PlannedEvent[]): Promise<void> {
    const deliveries = planned.flatMap(({ event, deliveries: ofEvent }) => {
      for (const delivery of ofEvent) this.writeAhead.hold(delivery, event);
      return ofEvent;
    });
    for (const delivery of deliveries) this.lanes.add(delivery);
    await this.writeAhead.settle(deliveries, ({ target }) => this.lanes.noteSlow(target.endpointId));
  }

  private async writeFirst(planned: PlannedEvent[], now: Date): Promise<void> {
    if (planned.length === 0) return;
    await this.recent.settled(planned.map(({ event }) => event.event.id));
    for (const { event } of planned) if (!this.recent.has(event.event.id)) this.recent.remember(event.event.id, Promise.resolve());
    const deliveries = planned.flatMap(({ deliveries: ofEvent }) => ofEvent);
    const fresh = await this.tables.insert(planned.map(({ event }) => event), deliveries, now);
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
