// The dispatcher's ear on the bus: every domain event.
import { Controller } from '@nestjs/common';
import { EnvelopeSchema, streams } from '@na/contracts';
import { OnMessages, type Received } from '@na/messaging';
import { FanOut } from './fan-out.js';

/** Which messages of which stream, and the name that all replicas share them under. */
export const eventsConsumer = { stream: streams.events, durable: 'webhook-dispatcher', filter: 'na.events.v1.>' };

@Controller()
export class EventsConsumer {
  constructor(private readonly fanOut: FanOut) {}

  @OnMessages({
    ...eventsConsumer,
    message: EnvelopeSchema,
    // Small, so that no batch keeps the process from everything else for more than a few milliseconds.
    maxBatch: 50,
    // A batch is in hand for as long as its slowest attempt, up to the budget of write-ahead.ts: others must not wait for it.
    maxConcurrentBatches: 500,
    maxInFlight: 2_000,
    maxTries: 20,
  })
  async onEvents(batch: Received<typeof EnvelopeSchema>[]): Promise<void> {
    await this.fanOut.handle(batch);
  }
}
