// Gathers what is to be reserved of rate limits into one statement at a time, and tells at once when the database is away.
import { metrics } from '@opentelemetry/api';
import type { Logger } from '@na/service-host';
import type { Window } from './rate-window.js';
import type { RateWindowStore, Share } from './rate-window-store.js';

/** Requests wait for this: longer is an outage to them. */
const timeoutMs = 2_000;

/** During an outage, how long nobody waits at all before it is tried again. */
const pauseMs = 1_000;

const maxPerStatement = 500;

const failures = metrics.getMeter('gateway').createCounter('gateway.rate_limit_outages', { description: 'Reservations of rate limits that failed: each gateway then counts for itself.' });

interface Ask {
  window: Window;
  resolve: (share: Share | undefined) => void;
}

export class Reservations {
  private asks: Ask[] = [];
  private isAsking = false;
  private pausedUntil = -Infinity;
  private isAway = false;

  constructor(
    private readonly store: Pick<RateWindowStore, 'reserve'>,
    private readonly logger: Logger,
  ) {}

  /** @returns undefined when the database can't be asked. The caller has at most one reservation per key under way. */
  reserve(window: Window): Promise<Share | undefined> {
    if (performance.now() < this.pausedUntil) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.asks.push({ window, resolve });
      void this.askAll();
    });
  }

  private async askAll(): Promise<void> {
    if (this.isAsking) return;
    this.isAsking = true;
    while (this.asks.length > 0) await this.ask(this.asks.splice(0, maxPerStatement));
    this.isAsking = false;
  }

  private async ask(asks: Ask[]): Promise<void> {
    try {
      const shares = await inTime(this.store.reserve(asks.map(({ window }) => window)));
      this.note(false);
      for (const { window, resolve } of asks) resolve(shares.get(window.keyId));
    } catch (error) {
      failures.add(1);
      this.note(true, error);
      this.pausedUntil = performance.now() + pauseMs;
      for (const { resolve } of [...asks, ...this.asks.splice(0)]) resolve(undefined);
    }
  }

  private note(isAway: boolean, error?: unknown): void {
    if (isAway && !this.isAway) this.logger.warn({ err: error }, 'the database can not be reached: this gateway counts rate limits for itself');
    if (!isAway && this.isAway) this.logger.info('the database is back: rate limits are counted together');
    this.isAway = isAway;
  }
}

/** What comes later than that is lost; a share that was reserved all the same lies unused until its window ends. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
