// Hands the hits of the stream to the intake.
import { Controller, type Type } from '@nestjs/common';
import { HitSchema, streams } from '@na/contracts';
import { OnMessages, type Received } from '@na/messaging';
import { HitIntake } from './hit-intake.js';
import { hitRow } from './hit-row.js';

/** A class of its own for each batch size, because Nest reads what a handler consumes from the handler's decorator. */
export function hitsConsumer(maxBatch: number): Type {
  @Controller()
  class HitsConsumer {
    constructor(private readonly intake: HitIntake) {}

    @OnMessages({
      stream: streams.hits,
      durable: 'reporting-hits',
      filter: 'na.hits.v1.>',
      message: HitSchema,
      maxBatch,
      // One batch in work, one ready to follow, and as many again on another replica.
      maxInFlight: maxBatch * 4,
      maxTries: 10,
    })
    async onHits(batch: Received<typeof HitSchema>[]): Promise<void> {
      await this.intake.take(batch.map(({ message, trace }) => hitRow(message, trace)));
    }
  }
  return HitsConsumer;
}
