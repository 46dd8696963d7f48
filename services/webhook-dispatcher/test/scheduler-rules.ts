// What holds of deliveries whatever happens to the dispatchers, judged over everything that one run has seen. Pure. The
// states and their transitions are those of docs/state-machines.md.
import type { Attempt, Delivery } from '@na/contracts';

/** One request that the receiver got. Moments are monotonic milliseconds of the test, which sees what happens in one order. */
export interface Sent {
  deliveryId: string;
  endpointId: string;
  eventId: string;
  attempt: number;
  /** Unix seconds on the clock of the dispatcher that sent it. */
  signedAt: number;
  at: number;
  /** When the exchange was over, one way or the other. */
  endedAt: number;
  /** The receiver broke the connection before it answered anything. */
  isBrokenOff: boolean;
}

/** What may make an attempt happen twice: it was in flight meanwhile, and its outcome did not count. */
export type Disturbance = { from: number; to: number } & (
  | { kind: 'kill' }
  /**
   * Leases end by the clock, attempts by real time: when the clock is moved, a lease may end before its attempt does.
   * `before` is what the clock showed, in Unix seconds; what was over at `allRecordedAt` was recorded.
   */
  | { kind: 'clock moved'; before: number; allRecordedAt: number }
);

/** The delivery table at one moment. */
export interface Snapshot {
  deliveries: Map<string, Delivery>;
  /** What people did between the snapshot before and this one. */
  retried: Set<string>;
  cancelled: Set<string>;
}

export interface History {
  maxAttempts: number;
  endpointIds: string[];
  /** Ids of the events that JetStream has acknowledged. */
  published: string[];
  requests: Sent[];
  disturbances: Disturbance[];
  snapshots: Snapshot[];
  /** How many events each endpoint was said to have missed when it was enabled again. */
  missed: Map<string, number>;
  /** After everything was let run. */
  end: { delivery: Delivery; attemptLog: Attempt[] }[];
}

/** @returns a sentence for each thing that ought not to have happened */
export function faultsOf(history: History): string[] {
  return [
    ...lostEvents(history),
    ...unfinished(history),
    ...forbiddenMoves(history),
    ...needlessRepeats(history),
    ...tooManyAttempts(history),
    ...unfitLogs(history),
    ...strangeRequests(history),
  ];
}

/** Each event has one delivery to each endpoint, or is offered to an endpoint that was disabled when it came. */
function lostEvents({ published, endpointIds, end, missed }: History): string[] {
  return endpointIds.flatMap((endpointId) => {
    const delivered = end.filter(({ delivery }) => delivery.endpointId === endpointId).map(({ delivery }) => delivery.eventId);
    const lost = published.filter((eventId) => !delivered.includes(eventId));
    const offered = missed.get(endpointId) ?? 0;
    return [
      ...(lost.length === offered ? [] : [`${endpointId} has no delivery of ${lost.join(', ')}, and was offered ${offered} missed events`]),
      ...(new Set(delivered).size === delivered.length ? [] : [`${endpointId} has two deliveries of one event`]),
    ];
  });
}

function unfinished({ end }: History): string[] {
  return end.filter(({ delivery }) => !isFinal(delivery)).map(({ delivery }) => `${describe(delivery)} has not come to an end`);
}

const moves: Record<string, string[]> = {
  pending: ['retrying', 'succeeded', 'failed'],
  retrying: ['succeeded', 'failed'],
  succeeded: [],
  failed: [],
  cancelled: [],
};

/** Only a retry by hand leads out of a final state, only cancelling into `cancelled`. */
function forbiddenMoves({ snapshots }: History): string[] {
  return snapshots.slice(1).flatMap(({ deliveries, retried, cancelled }, index) =>
    [...snapshots[index]!.deliveries.values()].flatMap((before) => {
      const after = deliveries.get(before.id);
      if (!after) return [`${describe(before)} has vanished`];
      if (after.attempts < before.attempts) return [`${describe(before)} has lost an attempt: ${describe(after)}`];
      if (retried.has(after.id) || (cancelled.has(after.id) && after.status === 'cancelled')) return [];
      // An attempt in flight when its delivery is cancelled is counted when it ends.
      const isCounted = after.status === 'cancelled' && after.attempts === before.attempts + 1;
      const stays = after.status === before.status && (after.attempts === before.attempts || after.status === 'retrying' || isCounted);
      return stays || moves[before.status]!.includes(after.status) ? [] : [`${describe(before)} became ${describe(after)}`];
    }),
  );
}

/**
 * The same attempt of a delivery is made again only when it was in flight during a disturbance; and sent again only once,
 * when a kept connection was broken off under it.
 */
function needlessRepeats({ requests, disturbances }: History): string[] {
  const byAttempt = Map.groupBy(requests, ({ deliveryId, attempt }) => `attempt ${attempt} of ${deliveryId}`);
  return [...byAttempt].flatMap(([what, sent]) => {
    const repeated = sent.slice(0, -1).filter((first, index) => !disturbances.some((disturbance) => explains(disturbance, first, sent[index + 1]!)));
    const isSentAgain = repeated.length === 1 && repeated[0]!.isBrokenOff;
    return repeated.length === 0 || isSentAgain ? [] : [`${what} was made ${sent.length} times for no reason`];
  });
}

function explains(disturbance: Disturbance, first: Sent, again: Sent): boolean {
  if (again.at < disturbance.from) return false;
  switch (disturbance.kind) {
    case 'kill':
      return first.at <= disturbance.to;
    case 'clock moved':
      return first.signedAt <= disturbance.before && first.endedAt >= disturbance.allRecordedAt;
  }
}

/** The policy's attempts, and one more for each retry by hand. */
function tooManyAttempts({ end, snapshots, maxAttempts }: History): string[] {
  return end.flatMap(({ delivery, attemptLog }) => {
    const allowed = maxAttempts + snapshots.filter(({ retried }) => retried.has(delivery.id)).length;
    return delivery.attempts <= delivery.maxAttempts && delivery.maxAttempts <= allowed && attemptLog.length <= allowed ? [] : [`${describe(delivery)}, allowed are ${allowed}`];
  });
}

/** The count is that of the log, which has each number once, and the state is what the last attempt led to. */
function unfitLogs({ end, requests }: History): string[] {
  return end.flatMap(({ delivery, attemptLog }) => {
    const logged = attemptLog.map(({ number }) => number);
    const sent = Math.max(0, ...requests.filter(({ deliveryId }) => deliveryId === delivery.id).map(({ attempt }) => attempt));
    // An attempt in flight when its delivery is cancelled may be taken by a crash, and is not made again.
    const lost = delivery.status === 'cancelled' ? 1 : 0;
    const isInOrder = logged.every((number, index) => number === index + 1);
    // Not every attempt comes as far as the receiver, but none that did is left out.
    const fits = isInOrder && logged.length === delivery.attempts && sent <= delivery.attempts + lost;
    const faults = fits ? [] : [`${describe(delivery)} has the log ${logged.join(', ')}, and the receiver saw attempt ${sent}`];
    if (!isShown(delivery, attemptLog.at(-1))) faults.push(`${describe(delivery)} shows another outcome than that of its last attempt`);
    return isLedToBy(delivery, attemptLog.at(-1)) ? faults : [...faults, `${describe(delivery)}, but its last attempt was ${attemptLog.at(-1)?.error ?? attemptLog.at(-1)?.responseCode}`];
  });
}

/** Whatever its state, a delivery shows what its last attempt got. */
function isShown({ responseCode, error }: Delivery, last: Attempt | undefined): boolean {
  return responseCode === last?.responseCode && error === last?.error;
}

function isLedToBy({ status, attempts, maxAttempts, finalStatus }: Delivery, last: Attempt | undefined): boolean {
  const code = last?.responseCode ?? 0;
  // One that breaks off in its body has a status too.
  const succeeded = last?.error === undefined && code >= 200 && code < 300;
  if (finalStatus !== status) return false;
  if (status === 'succeeded') return succeeded;
  return status === 'cancelled' || (!succeeded && (code === 410 || attempts === maxAttempts));
}

/** Every attempt carries the ids of its delivery, event and endpoint; and what was attempted is in the table. */
function strangeRequests({ requests, end, disturbances }: History): string[] {
  const known = new Map(end.map(({ delivery }) => [delivery.id, delivery]));
  return requests.flatMap(({ deliveryId, endpointId, eventId, at }) => {
    const what = `${deliveryId} was sent to ${endpointId} with webhook-id ${eventId}`;
    const delivery = known.get(deliveryId);
    if (delivery) return delivery.eventId === eventId && delivery.endpointId === endpointId ? [] : [what];
    // When it was lost in a crash and its endpoint disabled before the event came again, the event counts as missed.
    return disturbances.some(({ kind, to }) => kind === 'kill' && at <= to) ? [] : [`${what} and is not in the table`];
  });
}

export function isFinal({ status }: Delivery): boolean {
  return status === 'succeeded' || status === 'failed' || status === 'cancelled';
}

function describe({ id, status, attempts, maxAttempts }: Delivery): string {
  return `${id} (${status} after ${attempts} of ${maxAttempts} attempts)`;
}
