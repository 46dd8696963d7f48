// So many at once, and no more; the others wait for their turn, in the order they came. A pool of connections would queue
// them too, but gives up on each after some seconds: what narrows a key must wait rather than fail.

export class Turns {
  private readonly waiting: (() => void)[] = [];

  /** @param free how many may work at once, at least 1 */
  constructor(private free: number) {}

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.free += 1;
    }
  }
}
