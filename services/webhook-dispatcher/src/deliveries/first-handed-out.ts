// Which events of the stream are handed out for the first time. Their number of tries does not tell after a nats-server was killed: it
// forgets what was acknowledged in its last 100 ms or so, and hands that out as if it had never been. So whatever the stream
// holds when this replica begins, or is connected again, counts as handed out before: the table is asked first.
import { setTimeout as delay } from 'node:timers/promises';

const askAgainMs = 1_000;

export class FirstHandedOut {
  /** Of the stream; what comes after it is new. */
  private lastOld = Infinity;
  /** Of the latest call: those before have no say any more. */
  private latest = {};

  /** @param lastSequence of the stream by now */
  constructor(private readonly lastSequence: () => Promise<number>) {}

  isNew(sequence: number): boolean {
    return sequence > this.lastOld;
  }

  /** The connection is lost: when it is back, anything may come again. */
  distrust(): void {
    this.latest = {};
    this.lastOld = Infinity;
  }

  /** The connection is there. Resolves when what is published from now on is known to be new. */
  async trust(): Promise<void> {
    const own = {};
    this.latest = own;
    while (this.latest === own) {
      const last = await this.lastSequence().catch(() => undefined);
      if (last === undefined) await delay(askAgainMs, undefined, { ref: false });
      else if (this.latest === own) return void (this.lastOld = last);
    }
  }
}
