// What is counted of each client address in a minute, in memory of this gateway. The minute begins with what is counted first.
import type { Clock } from '@na/service-host';
import { LRUCache } from 'lru-cache';
import { networkOf } from './address-network.js';

const lengthMs = 60_000;

/** About 200 bytes each. Whoever has more networks than this to come from gets a fresh count in each anyway. */
const maxCounts = 100_000;

type Minute<C> = C & { endsAtMs: number };

export class AddressMinutes<C extends object> {
  private readonly minutes = new LRUCache<string, Minute<C>>({ max: maxCounts });

  /** @param begin makes a count of nothing */
  constructor(
    private readonly begin: () => C,
    private readonly clock: Clock,
  ) {}

  /** @param what is counted apart from the rest that comes from there */
  of(address: string, what = ''): Minute<C> {
    const known = this.known(address, what);
    if (known) return known;
    const fresh = { ...this.begin(), endsAtMs: this.now() + lengthMs };
    this.minutes.set(nameOf(address, what), fresh);
    return fresh;
  }

  /** What `of` would say, where nothing has been counted in this minute: undefined. */
  known(address: string, what: string): Minute<C> | undefined {
    const minute = this.minutes.get(nameOf(address, what));
    return minute && this.now() < minute.endsAtMs ? minute : undefined;
  }

  /** Whole seconds until a count is over: 1 or more. */
  secondsLeft({ endsAtMs }: Minute<C>): number {
    return Math.max(1, Math.ceil((endsAtMs - this.now()) / 1_000));
  }

  private now(): number {
    return this.clock.now().getTime();
  }
}

function nameOf(address: string, what: string): string {
  return `${networkOf(address)} ${what}`;
}
