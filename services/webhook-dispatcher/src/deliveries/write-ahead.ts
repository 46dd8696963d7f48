// Deliveries that are attempted before they are in the database. Most are done within milliseconds, and are then written
// once, finished, instead of first as pending and again as done. Until then the event that they come from is not
// acknowledged, so that a crash loses nothing: the event comes again. What takes longer than the budget is written as
// pending after all, and goes on like any other delivery.
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '@na/service-host';
import type { DueDelivery } from './delivery.js';
import type { LoggedEvent, NewDelivery } from './fan-out.js';

/**
 * Where an unwritten delivery stands. Each step is taken in one go, before anything is awaited, so that recorder and budget
 * never both write it.
 */
export interface Unwritten {
  event: LoggedEvent;
  /** held: only in memory. recording: its attempt is made and waits to be recorded. written: it is, or is being, inserted. */
  state: 'held' | 'recording' | 'written';
  /** Resolves when it is in the database one way or the other. */
  settled: PromiseWithResolvers<void>;
}

/** How long an attempt may take before its delivery is written as pending: well above a healthy endpoint's answer. */
const budgetMs = 100;

export type InsertPending = (events: LoggedEvent[], deliveries: NewDelivery[], now: Date) => Promise<unknown>;

export class WriteAhead {
  constructor(
    private readonly insert: InsertPending,
    private readonly clock: Clock,
  ) {}

  hold(delivery: DueDelivery, event: LoggedEvent): void {
    delivery.unwritten = { event, state: 'held', settled: Promise.withResolvers() };
  }

  /** Resolves when all are in the database; those that are not by the end of the budget are written as pending. */
  async settle(held: DueDelivery[], onSlow: (delivery: DueDelivery) => void): Promise<void> {
    if (held.length === 0) return;
    const all = Promise.all(held.map(({ unwritten }) => unwritten!.settled.promise));
    const budget = new AbortController();
    await Promise.race([all, delay(budgetMs, undefined, { signal: budget.signal }).catch(() => undefined)]);
    budget.abort();
    const slow = held.filter(({ unwritten }) => unwritten!.state === 'held');
    slow.forEach(onSlow);
    await this.write(slow);
    await all;
  }

  /** Inserts those that are only held, as pending under this replica's lease. @throws what the database says */
  async write(deliveries: DueDelivery[]): Promise<void> {
    const held = deliveries.filter(({ unwritten }) => unwritten?.state === 'held');
    if (held.length === 0) return;
    for (const { unwritten } of held) unwritten!.state = 'written';
    try {
      const events = [...new Set(held.map(({ unwritten }) => unwritten!.event))];
      await this.insert(events, held.map((delivery) => ({ ...delivery, leased: true })), this.clock.now());
    } catch (error) {
      for (const { unwritten } of held) unwritten!.settled.reject(error);
      throw error;
    }
    for (const { unwritten } of held) unwritten!.settled.resolve();
  }
}
