// Carries replays out, batch by batch, each when its turn has come. Every replica runs one; a batch is done by whoever
// gets its replay's lock.
import type { Clock, Logger } from '@na/service-host';

/** What the loop needs of the replay store. */
export interface ReplayBatches {
  /** Deals with the next batch of one replay whose turn has come. @returns whether there was one */
  replayBatch(now: Date): Promise<boolean>;
  /** When the next replay's turn comes, if any is running. */
  nextBatchAt(): Promise<Date | undefined>;
}

/** Longest pause: how late a replay is found that another replica has taken in or left behind. */
const pollMs = 1_000;

/** A replay whose lock another replica holds stays due: without a pause the loop would spin on it. */
const minPauseMs = 20;

export class ReplayLoop {
  private readonly stopped = new AbortController();
  private pause = new AbortController();
  private work: Promise<void> = Promise.resolve();

  constructor(
    private readonly batches: ReplayBatches,
    /** Tells the due loop that something is due. */
    private readonly wakeDueLoop: () => void,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.work = this.run();
  }

  /** Ends the batch in hand. */
  async stop(): Promise<void> {
    this.stopped.abort();
    await this.work;
  }

  /** Call when a replay has begun, so that it is not found late. */
  wake(): void {
    this.pause.abort();
  }

  private async run(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      this.pause = new AbortController();
      const pauseMs = await this.replayAllDue().catch((error: unknown) => {
        this.logger.warn({ err: error }, 'a replay could not be carried on; trying again');
        return pollMs;
      });
      await this.clock.wait(pauseMs, AbortSignal.any([this.pause.signal, this.stopped.signal]));
    }
  }

  /** @returns how long to pause until the next turn, in milliseconds */
  private async replayAllDue(): Promise<number> {
    while (!this.stopped.signal.aborted && (await this.batches.replayBatch(this.clock.now()))) this.wakeDueLoop();
    const next = await this.batches.nextBatchAt();
    const untilNext = next ? next.getTime() - this.clock.now().getTime() : pollMs;
    return Math.min(pollMs, Math.max(untilNext, minPauseMs));
  }
}
