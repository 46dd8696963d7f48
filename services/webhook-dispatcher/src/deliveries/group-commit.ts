// Group commit: what comes within a few milliseconds of each other is written in one statement, again and again until it is
// done. What is written has to bear being written twice.
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@na/service-host';

export interface GroupCommitWork<T> {
  /** @param isRepeat the try before may have written it all the same, if only its answer was lost */
  write: (batch: T[], isRepeat: boolean) => Promise<void>;
  /** Called once the batch, or a part of it, is written. */
  done: (batch: T[]) => void;
  /** Called for one that can't ever be. */
  refused: (item: T, error: unknown) => void;
  /** For the log, when one can't be written. */
  nameOf: (item: T) => string;
}

export interface GroupCommitPace {
  /** How long is waited for more before a statement that could take more. */
  gatherMs: number;
  /** Most statements at the same time: while one waits for the disk, or is made again and again, others go on. */
  maxWriters: number;
}

/** As many as one statement takes. What it costs of its own is spread over them, and the event loop is not held up for long by writing them out. */
const maxBatch = 200;
const pauseAfterFailureMs = 500;

export class GroupCommit<T> {
  private readonly waiting: T[] = [];
  private readonly writers = new Set<Promise<void>>();
  private isGathering = false;

  constructor(
    private readonly work: GroupCommitWork<T>,
    private readonly pace: GroupCommitPace,
    private readonly logger: Logger,
  ) {}

  add(item: T): void {
    this.waiting.push(item);
    this.startWriter();
  }

  /** Resolves when everything added so far is written. */
  async drain(): Promise<void> {
    while (this.writers.size > 0) await Promise.all(this.writers);
  }

  /** While something waits there is one that gathers, unless all write. */
  private startWriter(): void {
    if (this.waiting.length === 0 || this.isGathering || this.writers.size >= this.pace.maxWriters) return;
    this.isGathering = true;
    const writer = this.writeBatch().finally(() => {
      this.writers.delete(writer);
      this.startWriter();
    });
    this.writers.add(writer);
  }

  private async writeBatch(): Promise<void> {
    // Awaited in any case: whoever starts this one counts it before it may start another.
    await (this.isFull ? undefined : delay(this.pace.gatherMs));
    const batch = this.waiting.splice(0, maxBatch);
    this.isGathering = false;
    this.startWriter();
    await this.writeUntilDone(batch);
  }

  private get isFull(): boolean {
    return this.waiting.length >= maxBatch;
  }

  private async writeUntilDone(batch: T[]): Promise<void> {
    for (let isRepeat = false; ; isRepeat = true) {
      try {
        await this.work.write(batch, isRepeat);
        return this.work.done(batch);
      } catch (error) {
        this.logger.error({ err: error, attempts: batch.length, first: this.work.nameOf(batch[0]!) }, 'attempts could not be recorded');
        if (isFaultOfTheData(error)) return this.writeApart(batch, error);
        await delay(pauseAfterFailureMs);
      }
    }
  }

  /** One that PostgreSQL refuses must not keep the others from being written. */
  private async writeApart(batch: T[], error: unknown): Promise<void> {
    if (batch.length === 1) return this.work.refused(batch[0]!, error);
    for (const item of batch) await this.writeUntilDone([item]);
  }
}

/** PostgreSQL's classes of rows that are there twice, data exceptions, violated constraints and exceeded program limits. */
function isFaultOfTheData(error: unknown): boolean {
  return /^(21|22|23|54)/.test(String((error as { code?: unknown }).code));
}
