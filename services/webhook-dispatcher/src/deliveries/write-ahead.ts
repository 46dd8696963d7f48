// Deliveries that are attempted before they are in the database. Most are done within milliseconds, and are then written
// once, finished, instead of first as pending and again as done. Until then the event that they come from is not
// acknowledged, so that a crash loses nothing: the event comes again. What takes longer than the budget is written as
// pending after all, and goes on like any other delivery.
import type { Clock } from '@na/service-host';
import type { DueDelivery } from './delivery.js';
import type { LoggedEvent, NewDelivery } from './fan-out.js';
import type { LoopLag } from './loop-lag.js';

/** How long an attempt may take before its delivery is written as pending: well above a healthy endpoint's answer. */
const budgetMs = 100;

/** Budgets that end within so long of each other end together: at thousands a second a timer for each is a burden. */
const togetherMs = 10;

/** While this process is behind, budgets are longer by that, for at most so long. */
const maxOwnMs = 1_000;

/** Most that are held: enough for all attempts that lanes make at once and as many to follow; more would only use up their budget. */
const maxHeld = 160;

/** Who waits for room is told when there is some for a run of them: made one after the other they take less time than one by one. */
const toldAt = 128;

/**
 * Where an unwritten delivery stands. Each step is taken in one go, before anything is awaited, so that recorder and budget
 * never both write it.
 */
export class Unwritten {
  /** held: only in memory. recording: its attempt is made and waits to be recorded. written: it is, or is being, inserted. */
  state: 'held' | 'recording' | 'written' = 'held';
  /** Resolves when it is in the database one way or the other. */
  readonly settled = Promise.withResolvers<void>();

  constructor(
    readonly event: LoggedEvent,
    private readonly release: () => void,
  ) {}

  /** From held to what comes next. */
  become(state: 'recording' | 'written'): void {
    this.state = state;
    this.release();
  }
}

interface Budget {
  /** Until it is recorded or written: done with, it is garbage while it is young, which costs least to collect. */
  held?: DueDelivery;
  endsAt: number;
}

export interface WriteAheadWork {
  insert: (events: LoggedEvent[], deliveries: NewDelivery[], now: Date) => Promise<unknown>;
  /** Told of a delivery that has not been attempted when its budget ends. */
  onSlow: (delivery: DueDelivery) => void;
  /** Told of one that could not be inserted: its event comes again, and with it the delivery. */
  onLost: (delivery: DueDelivery) => void;
}

export class WriteAhead {
  private held = 0;
  /** In the order in which their budgets end. */
  private readonly budgets: Budget[] = [];
  private timer?: NodeJS.Timeout;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly work: WriteAheadWork,
    private readonly clock: Clock,
    private readonly lag: LoopLag,
  ) {}

  get hasRoom(): boolean {
    return this.held < maxHeld;
  }

  /** Whether who comes now need not call `room`: nobody goes before those who wait. */
  get hasFreeRoom(): boolean {
    return this.hasRoom && this.waiting.length === 0;
  }

  /** Resolves when it is the caller's turn and there is room: it takes what it needs, and calls `passOn`. */
  async room(): Promise<void> {
    do await new Promise<void>((resolve) => this.waiting.push(resolve));
    while (!this.hasRoom);
  }

  /** Tells the next who waits of the room that is left. */
  passOn(): void {
    if (this.hasRoom) this.waiting.shift()?.();
  }

  /** From now on it is written when it has been attempted or its budget ends. Resolves when it is in the database. */
  hold(delivery: DueDelivery, event: LoggedEvent): Promise<void> {
    const budget: Budget = { held: delivery, endsAt: performance.now() + budgetMs };
    const unwritten = new Unwritten(event, () => {
      budget.held = undefined;
      this.release();
    });
    delivery.unwritten = unwritten;
    this.held += 1;
    this.budgets.push(budget);
    this.timer ??= setTimeout(() => this.endBudgets(), budgetMs);
    return unwritten.settled.promise;
  }

  /** Inserts those that are only held, as pending under this replica's lease. @throws what the database says */
  async write(deliveries: DueDelivery[]): Promise<void> {
    const held = deliveries.filter(({ unwritten }) => unwritten?.state === 'held');
    if (held.length === 0) return;
    for (const { unwritten } of held) unwritten!.become('written');
    try {
      const events = [...new Set(held.map(({ unwritten }) => unwritten!.event))];
      await this.work.insert(events, held.map((delivery) => ({ ...delivery, leased: true })), this.clock.now());
    } catch (error) {
      for (const delivery of held) {
        this.work.onLost(delivery);
        delivery.unwritten!.settled.reject(error);
      }
      throw error;
    }
    for (const { unwritten } of held) unwritten!.settled.resolve();
  }

  private release(): void {
    this.held -= 1;
    if (this.held <= toldAt) this.passOn();
  }

  private endBudgets(): void {
    // What is late because of us would be late in the database too, and would make room for more that comes late.
    const now = performance.now() - Math.min(maxOwnMs, this.lag.ownMs);
    const firstLeft = this.budgets.findIndex(({ endsAt }) => endsAt > now);
    const slow = this.budgets.splice(0, firstLeft < 0 ? this.budgets.length : firstLeft).flatMap(({ held }) => held ?? []);
    const next = this.budgets[0];
    this.timer = next && setTimeout(() => this.endBudgets(), Math.max(togetherMs, next.endsAt - now));
    slow.forEach(this.work.onSlow);
    // Who waits for them hears of a failure.
    this.write(slow).catch(() => undefined);
  }
}
