// Group commit: attempts that end within a few milliseconds of each other are recorded in one statement.
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@na/service-host';
import type { AttemptedDelivery } from './delivery.js';

interface Waiting {
  attempted: AttemptedDelivery;
  recorded: () => void;
}

const gatherMs = 4;
const maxBatch = 500;
const pauseAfterFailureMs = 500;

export class Recorder {
  private waiting: Waiting[] = [];
  private running = false;

  constructor(
    private readonly write: (batch: AttemptedDelivery[]) => Promise<void>,
    private readonly logger: Logger,
  ) {}

  /** Resolves when the attempt is in the database, however long that is away: until then its lane keeps the place taken. */
  record(attempted: AttemptedDelivery): Promise<void> {
    return new Promise((recorded) => {
      this.waiting.push({ attempted, recorded });
      if (!this.running) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.running = true;
    await delay(gatherMs);
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, maxBatch);
      await this.writeUntilDone(batch.map(({ attempted }) => attempted));
      for (const { recorded } of batch) recorded();
    }
    this.running = false;
  }

  private async writeUntilDone(batch: AttemptedDelivery[]): Promise<void> {
    for (;;) {
      try {
        await this.write(batch);
        return;
      } catch (error) {
        this.logger.error({ err: error, attempts: batch.length }, 'attempts could not be recorded; trying again');
        await delay(pauseAfterFailureMs);
      }
    }
  }
}
