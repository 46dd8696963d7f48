// Which events this replica has met lately, so that one that comes again under another message id is not attempted before
// the table has been asked. Bounded: what it has forgotten is only attempted once too often, and still recorded once.

const maxRemembered = 50_000;

export class RecentEvents {
  private readonly met = new Map<string, Promise<unknown>>();

  /** @param dealtWith resolves or rejects when the event's deliveries are in the table or never will be */
  remember(eventId: string, dealtWith: Promise<unknown>): void {
    this.met.set(eventId, dealtWith.catch(() => undefined));
    if (this.met.size > maxRemembered) this.met.delete(this.met.keys().next().value!);
  }

  has(eventId: string): boolean {
    return this.met.has(eventId);
  }

  /** Resolves when those of the events that are being dealt with have been. */
  async settled(eventIds: string[]): Promise<void> {
    await Promise.all(eventIds.flatMap((id) => this.met.get(id) ?? []));
  }
}
