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

/**
 * Turns that many share. Each of them takes one at a time, and its next one is at the end of the queue: who asks for a
 * thousand at once delays the others by no more than one.
 */
export class SharedTurns {
  /** Of each who has or awaits a turn: what it has asked for, in order. */
  private readonly lines = new Map<string, { turns: Turns; length: number }>();

  constructor(private readonly turns: Turns) {}

  async take<T>(who: string, work: () => Promise<T>): Promise<T> {
    const line = this.lines.get(who) ?? { turns: new Turns(1), length: 0 };
    this.lines.set(who, line);
    line.length += 1;
    try {
      return await line.turns.take(() => this.turns.take(work));
    } finally {
      line.length -= 1;
      if (line.length === 0) this.lines.delete(who);
    }
  }
}
