// The bounds on all attempts of this replica, and who may have how many of its places.

/**
 * Most that have been in flight for less than `freshMs`. More at once would only wait for this process: 64 that take 5 ms
 * are 12,800 a second. Those in flight for longer wait for their endpoints, and cost next to nothing.
 */
const maxFresh = 64;

export class Slots {
  private inFlight = 0;
  private readonly inFlightOf = new Map<string, number>();
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

  /**
   * Whether an endpoint that has so many in flight has its share. A workspace may have as many as are left to all others, and an
   * endpoint as many as are left to its workspace: one endpoint alone a third of all, n workspaces that hang 1/(n + 1) each, so that
   * as much is left to those that are well (the dynamic thresholds of Choudhury and Hahne, with which switches share a buffer).
   */
  hasShare(workspaceId: string, inFlightOfEndpoint: number): boolean {
    return inFlightOfEndpoint + (this.inFlightOf.get(workspaceId) ?? 0) + this.inFlight >= this.maxInFlight;
  }

  get taken(): number {
    return this.inFlight;
  }

  /** @returns what gives it back */
  take(workspaceId: string): () => void {
    const slot = { since: performance.now() };
    this.count(workspaceId, 1);
    this.fresh.add(slot);
    // One for all: at thousands a second a timer for each is a burden.
    this.timer ??= setTimeout(() => this.age(), this.freshMs);
    return () => {
      this.fresh.delete(slot);
      this.count(workspaceId, -1);
      if (this.inFlight === 0) this.idle?.();
    };
  }

  /** Resolves when none is taken; ask when no more are. */
  async untilIdle(): Promise<void> {
    if (this.inFlight > 0) await new Promise<void>((resolve) => (this.idle = resolve));
  }

  private count(workspaceId: string, change: 1 | -1): void {
    this.inFlight += change;
    const ofWorkspace = (this.inFlightOf.get(workspaceId) ?? 0) + change;
    if (ofWorkspace === 0) this.inFlightOf.delete(workspaceId);
    else this.inFlightOf.set(workspaceId, ofWorkspace);
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
