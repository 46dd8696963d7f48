// When deliveries will go out whose endpoint has asked to be left alone. Joined to a page of the table it would cost every reader
// of every page; most pages have nothing unfinished.
import type { EntityManager } from 'typeorm';
import type { DeliveryStatus } from './delivery.js';

interface Planned {
  endpoint_id: string;
  status: DeliveryStatus;
  next_attempt_at: Date | null;
}

/** @returns the same, of which what is unfinished is planned for the end of its endpoint's pause at the earliest */
export async function withPauses<T extends Planned>(tx: EntityManager, deliveries: T[], now: Date): Promise<T[]> {
  const endpoints = new Set(deliveries.filter(isUnfinished).map(({ endpoint_id }) => endpoint_id));
  if (endpoints.size === 0) return deliveries;
  const paused = await tx.query<{ id: string; paused_until: Date }[]>('SELECT id, paused_until FROM endpoints WHERE id = ANY($1) AND paused_until > $2', [[...endpoints], now]);
  const pauseEnds = new Map(paused.map(({ id, paused_until }) => [id, paused_until]));
  return deliveries.map((delivery) => {
    const pauseEnd = isUnfinished(delivery) ? pauseEnds.get(delivery.endpoint_id) : undefined;
    return pauseEnd && !(delivery.next_attempt_at && delivery.next_attempt_at > pauseEnd) ? { ...delivery, next_attempt_at: pauseEnd } : delivery;
  });
}

function isUnfinished({ status }: Planned): boolean {
  return status === 'pending' || status === 'retrying';
}
