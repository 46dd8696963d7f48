// Writes that must come into the database in the order in which they are asked for: one after the other. What is asked for while
// one is under way goes together into the next.

interface Group<Item> {
  items: Item[];
  /** How many asked. */
  batches: number;
  written: Promise<void>;
}

export class OrderedWrites<Item> {
  private last: Promise<unknown> = Promise.resolve();
  /** Not begun yet. */
  private next?: Group<Item>;

  constructor(private readonly writeAll: (items: Item[]) => Promise<void>) {}

  /** Rejects only for what can't be written by itself: what one batch fails with is not the fault of those that went with it. */
  async write(items: Item[]): Promise<void> {
    const group = this.join(items);
    try {
      await group.written;
    } catch (error) {
      if (group.batches === 1) throw error;
      await this.after(() => this.writeAll(items));
    }
  }

  private join(items: Item[]): Group<Item> {
    this.next ??= this.newGroup();
    this.next.items.push(...items);
    this.next.batches += 1;
    return this.next;
  }

  private newGroup(): Group<Item> {
    const items: Item[] = [];
    const written = this.after(() => {
      this.next = undefined;
      return this.writeAll(items);
    });
    return { items, batches: 0, written };
  }

  private after(write: () => Promise<void>): Promise<void> {
    const written = this.last.then(write);
    this.last = written.catch(() => undefined);
    return written;
  }
}
