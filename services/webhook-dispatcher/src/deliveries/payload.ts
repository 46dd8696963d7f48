// The body of every attempt of an event: rendered once, stored once, sent and signed as these bytes.
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { eventData, type Envelope } from '@na/contracts';

export function renderPayload(event: Envelope): Buffer {
  const body = {
    id: event.id,
    type: event.type,
    created_at: eventTime(event).toISOString(),
    workspace_id: event.workspaceId,
    data: eventData(event),
  };
  return Buffer.from(JSON.stringify(body));
}

export function eventTime(event: Envelope): Date {
  if (!event.createdAt) throw new Error(`Event ${event.id} does not say when it happened`);
  return timestampDate(event.createdAt);
}
