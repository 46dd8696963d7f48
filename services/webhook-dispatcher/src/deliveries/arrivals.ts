// Deliveries that are on their way from the database into memory. Whoever takes some out of memory waits for these first:
// what it means to take out may be among them.

export class Arrivals {
  private readonly underWay = new Set<Promise<unknown>>();

  /** @returns the same promise; what it does is an arrival until it settles */
  track<T>(arrival: Promise<T>): Promise<T> {
    const settled: Promise<unknown> = arrival.catch(() => undefined).then(() => this.underWay.delete(settled));
    this.underWay.add(settled);
    return arrival;
  }

  /** Resolves when all that are under way now have arrived or failed. */
  async settled(): Promise<void> {
    await Promise.all(this.underWay);
  }
}
