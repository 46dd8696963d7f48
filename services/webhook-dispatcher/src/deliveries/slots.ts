// The bounds on all attempts of this replica, whichever endpoints they go to.

/**
 * Most that have been in flight for less than `freshMs`. More at once would only wait for this process: 64 that take 5 ms
 * are 12,800 a second. Those in flight for longer wait for their endpoints, and cost next to nothing.
 */
const maxFresh = 64;

export class Slots {
  private inFlight = 0;
  private fresh = 0;
  private idle?: () => void;

  /** @param onFree called when there is one again because an attempt has come of age; when one ends, its caller knows */
  constructor(
    private readonly maxInFlight: number,
    private readonly freshMs: number,
    private readonly onFree: () => void,
  ) {}

  get areTaken(): boolean {
    return this.inFlight >= this.maxInFlight || this.fresh >= maxFresh;
  }

  get taken(): number {
    return this.inFlight;
  }

  /** @returns what gives it back */
  take(): () => void {
    this.inFlight += 1;
    this.fresh += 1;
    let isFresh = true;
    const age = () => {
      if (isFresh) this.fresh -= 1;
      isFresh = false;
    };
    const timer = setTimeout(() => {
      age();
      this.onFree();
    }, this.freshMs);
    return () => {
      clearTimeout(timer);
      age();
      this.inFlight -= 1;
      if (this.inFlight === 0) this.idle?.();
    };
  }

  /** Resolves when none is taken; ask when no more are. */
  async untilIdle(): Promise<void> {
    if (this.inFlight > 0) await new Promise<void>((resolve) => (this.idle = resolve));
  }
}
