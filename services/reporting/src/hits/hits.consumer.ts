// Hands the hits of the stream to the intake.
import { Controller, type Type } from '@nestjs/common';
import { HitSchema, streams } from '@na/contracts';
import { OnMessages, type Received } from '@na/messaging';
import { boundedParts } from './bounded-parts.js';
import { HitIntake } from './hit-intake.js';
import { hitRow } from './hit-row.js';

/** Characters. Hits are about 1,000 long; one full of properties has up to 400,000, and a batch of such would be a statement of 200 MB. */
const maxTextPerTransaction = 8_000_000;

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
      // Over all replicas: one batch in work on each of two, or one in work and one ready to follow.
      maxInFlight: maxBatch * 2,
      maxTries: 10,
    })
    async onHits(batch: Received<typeof HitSchema>[]): Promise<void> {
      const rows = batch.map(({ message, trace }) => hitRow(message, trace));
      for (const part of boundedParts(rows, maxTextPerTransaction)) await this.intake.take(part);
    }
  }
  return HitsConsumer;
}
