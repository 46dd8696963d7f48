// The body of every attempt of an event: rendered once, stored once, sent and signed as these bytes.
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { eventPayload, type Envelope } from '@na/contracts';

export function renderPayload(event: Envelope): Buffer {
  return Buffer.from(JSON.stringify(eventPayload(event)));
}

export function eventTime(event: Envelope): Date {
  if (!event.createdAt) throw new Error(`Event ${event.id} does not say when it happened`);
  return timestampDate(event.createdAt);
}
