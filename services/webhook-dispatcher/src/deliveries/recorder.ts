// Group commit: attempts that end within a few milliseconds of each other are recorded in one statement. An endpoint's
// lane does not wait for it, unless the database falls so far behind that what is unrecorded would fill the memory.
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@na/service-host';
import type { AttemptedDelivery } from './delivery.js';

const gatherMs = 4;
const maxBatch = 500;

/** Also how many attempts, beside those in flight, a crash may repeat. */
const maxUnrecorded = 2_000;
const pauseAfterFailureMs = 500;

export class Recorder {
  private readonly waiting: AttemptedDelivery[] = [];
  private blocked: (() => void)[] = [];
  private work?: Promise<void>;

  constructor(
    private readonly write: (batch: AttemptedDelivery[]) => Promise<void>,
    private readonly logger: Logger,
  ) {}

  /** Takes the attempt. Resolves at once, or while the database is away when there is room again. */
  async record(attempted: AttemptedDelivery): Promise<void> {
    this.waiting.push(attempted);
    this.work ??= this.run();
    if (this.waiting.length > maxUnrecorded) await new Promise<void>((resolve) => this.blocked.push(resolve));
  }

  /** Resolves when everything taken so far is in the database. */
  async drain(): Promise<void> {
    await this.work;
  }

  private async run(): Promise<void> {
    await delay(gatherMs);
    while (this.waiting.length > 0) {
      await this.writeUntilDone(this.waiting.splice(0, maxBatch));
      for (const goOn of this.blocked.splice(0)) goOn();
    }
    this.work = undefined;
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
