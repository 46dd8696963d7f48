// Turns each event into one delivery for every endpoint that wants it. An event is acknowledged once its deliveries are
// in the table; from then on they are found whatever happens to this process. Deliveries to endpoints that answer quickly
// get there already finished: see write-ahead.ts.
import { context, propagation } from '@opentelemetry/api';
import type { Envelope, EnvelopeSchema } from '@na/contracts';
import type { Received } from '@na/messaging';
import type { Clock } from '@na/service-host';
import { wants, type EventSubject } from '../endpoints/event-filter.js';
import type { DueDelivery, Target } from './delivery.js';
import type { FirstHandedOut } from './first-handed-out.js';
import { deliveryId } from './ids.js';
import { OrderedWrites } from './ordered-writes.js';
import type { Lanes } from './lanes.js';
import { eventTime, renderPayload } from './payload.js';
import { RecentEvents } from './recent-events.js';
import type { Subscription, Subscriptions } from './subscriptions.js';
import type { WriteAhead } from './write-ahead.js';

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

/**
 * Writes both in one transaction; what is there already stays.
 * @returns ids of the deliveries that are new
 */
export type InsertDeliveries = (events: LoggedEvent[], deliveries: NewDelivery[], now: Date) => Promise<Set<string>>;

/** An event and who wants it. */
interface Arrival {
  received: Received<typeof EnvelopeSchema>;
  eventAt: Date;
  /** Of its workspace, by which its targets were found. */
  subscriptions: Subscription[];
  targets: Target[];
}

/** Longer than the longest time-out, so that an attempt in flight is never also someone else's. */
export const leaseMs = 60_000;

export class FanOut {
  private readonly recent = new RecentEvents();
  private readonly ordered = new OrderedWrites<Arrival>((arrivals) => this.lanes.bring(this.insertPending(arrivals)));

  constructor(
    private readonly subscriptions: Subscriptions,
    private readonly insert: InsertDeliveries,
    private readonly lanes: Lanes,
    private readonly writeAhead: WriteAhead,
    private readonly first: Pick<FirstHandedOut, 'isNew'>,
    private readonly clock: Clock,
    /** Tells the due loop that it will find something. */
    private readonly wakeDueLoop: () => void,
  ) {}

  /** Resolves when all that the events lead to is in the database. Those of workspaces in memory do not wait for the others. */
  async handle(batch: Received<typeof EnvelopeSchema>[]): Promise<void> {
    const known: Arrival[] = [];
    const unknown: Received<typeof EnvelopeSchema>[] = [];
    for (const received of batch) {
      const subscriptions = this.subscriptions.known(received.message.workspaceId);
      if (subscriptions) known.push(arrivalOf(received, subscriptions));
      else unknown.push(received);
    }
    await Promise.all([this.handleArrivals(known), this.handleUnknown(unknown)]);
  }

  /** Those of one workspace do not wait for another's endpoints: what comes next of theirs would overtake them. */
  private async handleUnknown(batch: Received<typeof EnvelopeSchema>[]): Promise<void> {
    const byWorkspace = Map.groupBy(batch, ({ message }) => message.workspaceId);
    await Promise.all([...byWorkspace.values()].map(async (received) => this.handleArrivals(await Promise.all(received.map((one) => this.arrive(one))))));
  }

  /** What can't be attempted at once is written first; the rest follows in turn as there is room. */
  private async handleArrivals(arrivals: Arrival[]): Promise<void> {
    const settled: Promise<unknown>[] = [];
    const first: Arrival[] = [];
    const later: Arrival[] = [];
    for (const arrival of arrivals) {
      if (!this.mayGoAhead(arrival)) first.push(arrival);
      else if (this.writeAhead.hasFreeRoom) settled.push(this.attempt(arrival));
      else later.push(arrival);
    }
    await Promise.all([...settled, this.writeFirst(first), this.attemptLater(later)]);
  }

  /** Each as soon as there is room. Meanwhile who wants it may have changed, and what was quick may have come to be slow. */
  private async attemptLater(arrivals: Arrival[]): Promise<void> {
    if (arrivals.length === 0) return;
    const settled: Promise<unknown>[] = [];
    const late: Arrival[] = [];
    // Before anything is waited for: by then others may want it.
    const writeLate = () => {
      const written = this.writeFirst(late.splice(0));
      // Heard of below, or never when one can't arrive: then all come again.
      written.catch(() => undefined);
      settled.push(written);
    };
    try {
      await this.writeAhead.room();
      for (const before of arrivals) {
        if (!this.writeAhead.hasRoom) {
          writeLate();
          await this.writeAhead.room();
        }
        let arrival = before;
        if (this.subscriptions.known(before.received.message.workspaceId) !== before.subscriptions) {
          writeLate();
          // Nobody waits for room while the database is asked.
          this.writeAhead.passOn();
          arrival = await this.arrive(before.received);
        }
        if (this.mayGoAhead(arrival)) settled.push(this.attempt(arrival));
        else late.push(arrival);
      }
      writeLate();
    } finally {
      this.writeAhead.passOn();
    }
    await Promise.all(settled);
  }

  private async arrive(received: Received<typeof EnvelopeSchema>): Promise<Arrival> {
    return arrivalOf(received, await this.subscriptions.of(received.message.workspaceId));
  }

  /**
   * Whether the event is new, and its deliveries are likely to be done in a moment. A message that was handed out before may
   * have been dealt with: only the table knows.
   */
  private mayGoAhead({ received: { message, tries, sequence }, targets }: Arrival): boolean {
    const isQuick = (target: Target) => this.isAttemptedAtOnce(target) && this.lanes.isQuick(target.endpointId);
    return targets.length > 0 && tries === 1 && this.first.isNew(sequence) && !this.recent.has(message.id) && targets.every(isQuick);
  }

  /** What has to wait does so in the database. There the due loop keeps the order of events too. */
  private isAttemptedAtOnce({ ordered, disabledAt, pausedUntil }: Target): boolean {
    return !ordered && !disabledAt && (!pausedUntil || pausedUntil <= this.clock.now());
  }

  private attempt(arrival: Arrival): Promise<unknown> {
    const event = toLoggedEvent(arrival);
    const deliveries = deliveriesOf(event, arrival.targets, this.clock.now());
    const held = deliveries.map((delivery) => this.writeAhead.hold(delivery, event));
    const settled = held.length === 1 ? held[0]! : Promise.all(held);
    this.recent.remember(event.event.id, settled);
    for (const delivery of deliveries) this.lanes.add(delivery);
    return settled;
  }

  private async writeFirst(arrivals: Arrival[]): Promise<void> {
    const [ordered, others] = [arrivals.filter(hasOrdered), arrivals.filter((arrival) => !hasOrdered(arrival))];
    const written: Promise<void>[] = [];
    if (others.length > 0) written.push(this.lanes.bring(this.insertPending(others)));
    // Of an ordered endpoint the due loop takes the first that it finds in the table: none may get there before one that came earlier.
    if (ordered.length > 0) written.push(this.ordered.write(ordered));
    await Promise.all(written);
  }

  /** @returns those that are this replica's to attempt */
  private async insertPending(arrivals: Arrival[]): Promise<DueDelivery[]> {
    const ids = arrivals.map(({ received }) => received.message.id);
    await this.recent.settled(ids);
    for (const id of ids) if (!this.recent.has(id)) this.recent.remember(id);
    const now = this.clock.now();
    const events = arrivals.map(toLoggedEvent);
    const isLeased = ({ target }: DueDelivery) => this.isAttemptedAtOnce(target) && this.lanes.hasRoom(target.endpointId);
    const planned = events.flatMap((event, index) => deliveriesOf(event, arrivals[index]!.targets, now));
    const deliveries = planned.map((delivery) => ({ ...delivery, leased: isLeased(delivery) }));
    const fresh = await this.insert(events, deliveries, now);
    if (deliveries.some(({ leased, target }) => !leased && target.ordered)) this.wakeDueLoop();
    // Deleting as we go: an event that came twice in one batch stands twice in the list, but is one row.
    return deliveries.filter(({ leased, id }) => leased && fresh.delete(id));
  }
}

function arrivalOf(received: Received<typeof EnvelopeSchema>, subscriptions: Subscription[]): Arrival {
  const { id, type, data } = received.message;
  if (!data.value) throw new Error(`Event ${id} is of the unknown type ${type}`);
  const eventAt = eventTime(received.message);
  const isWanted = ({ eventTypes, pageIds, target }: Subscription) =>
    wants({ eventTypes, pageIds, endpointId: target.endpointId }, type, data.value as EventSubject) && isOwed(target, eventAt);
  return { received, eventAt, subscriptions, targets: subscriptions.filter(isWanted).map(({ target }) => target) };
}

/**
 * What happened before an endpoint was disabled waits for it, however late it comes here; what happened since is missed, and
 * offered when it is enabled.
 */
function isOwed({ disabledAt }: Target, eventAt: Date): boolean {
  return disabledAt === undefined || eventAt < disabledAt;
}

function hasOrdered({ targets }: Arrival): boolean {
  return targets.some(({ ordered }) => ordered);
}

function deliveriesOf({ event, eventAt, payload, traceparent }: LoggedEvent, targets: Target[], now: Date): DueDelivery[] {
  return targets.map((target) => ({
    id: deliveryId(event.id, target.endpointId, eventAt),
    eventAt,
    workspaceId: event.workspaceId,
    eventId: event.id,
    eventType: event.type,
    payload,
    traceparent,
    attempts: 0,
    maxAttempts: target.retryPolicy.maxAttempts,
    attemptsBeforeRun: 0,
    takenAt: now,
    leasedUntil: new Date(now.getTime() + leaseMs),
    target,
  }));
}

function toLoggedEvent({ received: { message, trace }, eventAt }: Arrival): LoggedEvent {
  const carrier: { traceparent?: string } = {};
  propagation.inject(trace ?? context.active(), carrier);
  return { event: message, eventAt, payload: renderPayload(message), traceparent: carrier.traceparent ?? null };
}
