// Deliveries that are on their way between the database and memory. Whoever looks for one in either waits for these first: it may be
// among them.

export class Transfers {
  private readonly underWay = new Set<Promise<unknown>>();

  /** @returns the same promise; what it does is under way until it settles */
  track<T>(transfer: Promise<T>): Promise<T> {
    const settled: Promise<unknown> = transfer.catch(() => undefined).then(() => this.underWay.delete(settled));
    this.underWay.add(settled);
    return transfer;
  }

  /** Resolves when all that are under way now have arrived or failed. */
  async settled(): Promise<void> {
    await Promise.all(this.underWay);
  }
}
