// How often each message that is not yet settled has failed here. In memory and per consumer: JetStream's own count of
// deliveries also rises with outages, stops and crashes, and a message must not be given up for those.
import { isSuspicious, type Failures } from './settlement.js';

export class FailureCounts {
  private readonly counts = new Map<number, Failures>();

  /** @param most messages remembered. Of those that another replica settles nothing is heard here: the longest unseen are forgotten. */
  constructor(private readonly most: number) {}

  /** @param sequence the message's position in its stream */
  add(sequence: number, error: unknown): Failures {
    const before = this.counts.get(sequence) ?? { all: 0, suspicious: 0 };
    const now = { all: before.all + 1, suspicious: before.suspicious + (isSuspicious(error) ? 1 : 0) };
    this.counts.delete(sequence);
    this.counts.set(sequence, now);
    if (this.counts.size > this.most) this.counts.delete(this.counts.keys().next().value!);
    return now;
  }

  forget(sequence: number): void {
    this.counts.delete(sequence);
  }
}
