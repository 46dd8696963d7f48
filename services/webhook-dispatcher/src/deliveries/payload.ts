// The body of every attempt of an event: rendered once, stored once, sent and signed as these bytes.
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { eventPayload, type Envelope } from '@na/contracts';

export function renderPayload(event: Envelope): Buffer {
  return Buffer.from(JSON.stringify(eventPayload(event)));
}

/** Of a UUIDv7, and so of ids, in milliseconds. */
const timeBits = 48;

/** @throws Error for one that ids can't carry */
export function eventTime(event: Envelope): Date {
  if (!event.createdAt) throw new Error(`Event ${event.id} does not say when it happened`);
  const time = timestampDate(event.createdAt);
  const ms = time.getTime();
  if (!(ms >= 0 && ms < 2 ** timeBits)) throw new Error(`Event ${event.id} happened before 1970, or so late that no id can say it`);
  return time;
}
