// How far behind this process is with what it has to do, so that its own slowness is not put down to endpoints.

const everyMs = 10;

/** One that is over is forgotten by this share with every look: half of it after 30 ms. */
const decay = 0.8;

/** How often an attempt waits for the event loop: to write its request, for the answer's head, and for its end. */
const turnsPerAttempt = 3;

export class LoopLag {
  /** How late the event loop comes to what is due, in milliseconds. */
  private ms = 0;
  private readonly timer: NodeJS.Timeout;
  private lookedAt = performance.now();

  constructor() {
    this.timer = setInterval(() => this.look(), everyMs).unref();
  }

  /** What of the time of an attempt that is now in flight is this process's own, in milliseconds. */
  get ownMs(): number {
    return turnsPerAttempt * this.ms;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const now = performance.now();
    this.ms = Math.max(now - this.lookedAt - everyMs, this.ms * decay);
    this.lookedAt = now;
  }
}
