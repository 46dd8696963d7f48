// The bounds on all attempts of this replica, whichever endpoints they go to.

/**
 * Most that have been in flight for less than `freshMs`. More at once would only wait for this process: 64 that take 5 ms
 * are 12,800 a second. Those in flight for longer wait for their endpoints, and cost next to nothing.
 */
const maxFresh = 64;

export class Slots {
  private inFlight = 0;
  /** Those that are not of age, with when each was taken, in milliseconds of the monotonic clock; oldest first. */
  private readonly fresh = new Set<{ since: number }>();
  private timer?: NodeJS.Timeout;
  private idle?: () => void;

  /** @param onFree called when there is one again because an attempt has come of age; when one ends, its caller knows */
  constructor(
    private readonly maxInFlight: number,
    private readonly freshMs: number,
    private readonly onFree: () => void,
  ) {}

  get areTaken(): boolean {
    return this.inFlight >= this.maxInFlight || this.fresh.size >= maxFresh;
  }

  get taken(): number {
    return this.inFlight;
  }

  /** @returns what gives it back */
  take(): () => void {
    const slot = { since: performance.now() };
    this.inFlight += 1;
    this.fresh.add(slot);
    // One for all: at thousands a second a timer for each is a burden.
    this.timer ??= setTimeout(() => this.age(), this.freshMs);
    return () => {
      this.fresh.delete(slot);
      this.inFlight -= 1;
      if (this.inFlight === 0) this.idle?.();
    };
  }

  /** Resolves when none is taken; ask when no more are. */
  async untilIdle(): Promise<void> {
    if (this.inFlight > 0) await new Promise<void>((resolve) => (this.idle = resolve));
  }

  private age(): void {
    const now = performance.now();
    const before = this.fresh.size;
    this.timer = undefined;
    for (const slot of this.fresh) {
      const left = slot.since + this.freshMs - now;
      if (left > 0) {
        this.timer = setTimeout(() => this.age(), left);
        break;
      }
      this.fresh.delete(slot);
    }
    if (this.fresh.size < before) this.onFree();
  }
}
