// Group commit: attempts that end within a few milliseconds of each other are recorded in one statement. An endpoint's
// lane does not wait for it, unless the database falls so far behind that what is unrecorded would fill the memory.
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@na/service-host';
import type { AttemptedDelivery } from './delivery.js';

const gatherMs = 4;
const maxBatch = 500;

/** With the batch in hand, also how many attempts beside those in flight a crash may repeat. */
const maxUnrecorded = 2_000;
const pauseAfterFailureMs = 500;

export class Recorder {
  private readonly waiting: AttemptedDelivery[] = [];
  private readonly unrecorded = new Set<string>();
  private blocked: (() => void)[] = [];
  private work?: Promise<void>;

  constructor(
    private readonly write: (batch: AttemptedDelivery[]) => Promise<void>,
    private readonly logger: Logger,
  ) {}

  /** Takes the attempt. Resolves at once, or while the database is away when there is room again. */
  async record(attempted: AttemptedDelivery): Promise<void> {
    const { unwritten } = attempted.delivery;
    if (unwritten?.state === 'held') unwritten.state = 'recording';
    this.waiting.push(attempted);
    this.unrecorded.add(attempted.delivery.id);
    this.work ??= this.run();
    if (this.waiting.length > maxUnrecorded) await new Promise<void>((resolve) => this.blocked.push(resolve));
  }

  /** Whether an attempt of the delivery has been made that the database does not know of yet. */
  holds(deliveryId: string): boolean {
    return this.unrecorded.has(deliveryId);
  }

  /** Resolves when everything taken so far is in the database. */
  async drain(): Promise<void> {
    await this.work;
  }

  private async run(): Promise<void> {
    await delay(gatherMs);
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, maxBatch);
      await this.writeUntilDone(batch);
      for (const { delivery } of batch) {
        this.unrecorded.delete(delivery.id);
        if (delivery.unwritten?.state === 'recording') delivery.unwritten.settled.resolve();
      }
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
        this.logger.error({ err: error, attempts: batch.length, first: batch[0]?.delivery.id }, 'attempts could not be recorded');
        if (isFaultOfTheData(error)) return this.writeApart(batch);
        await delay(pauseAfterFailureMs);
      }
    }
  }

  /** One attempt that PostgreSQL refuses must not keep the others from being recorded; it is made again when its lease ends. */
  private async writeApart(batch: AttemptedDelivery[]): Promise<void> {
    if (batch.length === 1) return;
    for (const attempted of batch) await this.writeUntilDone([attempted]);
  }
}

/** PostgreSQL's classes of data exceptions, violated constraints and exceeded program limits. */
function isFaultOfTheData(error: unknown): boolean {
  return /^(22|23|54)/.test(String((error as { code?: unknown }).code));
}
