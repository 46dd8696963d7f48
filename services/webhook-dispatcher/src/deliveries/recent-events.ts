// Which events this replica has met lately, so that one that comes again under another message id is not attempted before
// the table has been asked. Bounded: what it has forgotten is only attempted once too often, and still recorded once.

/** In each of two generations, of which the older one is forgotten as a whole: to find the oldest of a Set that deletes takes long. */
const perGeneration = 20_000;

export class RecentEvents {
  private met = new Set<string>();
  private metBefore = new Set<string>();
  private readonly underWay = new Map<string, Promise<unknown>>();

  /** @param dealtWith resolves or rejects when the event's deliveries are in the table or never will be */
  remember(eventId: string, dealtWith?: Promise<unknown>): void {
    this.met.add(eventId);
    if (this.met.size >= perGeneration) {
      this.metBefore = this.met;
      this.met = new Set();
    }
    if (!dealtWith) return;
    const over = () => this.underWay.delete(eventId);
    this.underWay.set(eventId, dealtWith.then(over, over));
  }

  has(eventId: string): boolean {
    return this.met.has(eventId) || this.metBefore.has(eventId) || this.underWay.has(eventId);
  }

  /** Resolves when those of the events that are being dealt with have been. */
  async settled(eventIds: string[]): Promise<void> {
    await Promise.all(eventIds.flatMap((id) => this.underWay.get(id) ?? []));
  }
}
