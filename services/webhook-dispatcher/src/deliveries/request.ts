// The request of an attempt. Its headers are put together here both times: to be sent, and again from what was recorded of the
// attempt, so that what is shown is what was sent, except for a constant that has changed since, such as the user agent. Pure.
import { signedHeaders } from './sign.js';

export type Headers = Record<string, string>;

/** What most headers follow from, whenever they are asked for. */
export interface RequestFacts {
  eventId: string;
  eventType: string;
  deliveryId: string;
  /** Counted from 1. */
  attempt: number;
  startedAt: Date;
}

/** What is recorded of a request. The body is the event's, and all other headers follow from the attempt. */
export interface SentRequest {
  url: string;
  /** The signatures, the trace, and the customer's own headers as they are shown: what looks like a credential is masked. */
  headers: Headers;
}

/** @param further the headers that can't be put together later: the customer's own, the signatures, the trace */
export function requestHeaders({ eventId, eventType, deliveryId, attempt, startedAt }: RequestFacts, further: Headers): Headers {
  return {
    ...further,
    'content-type': 'application/json',
    'user-agent': 'NotionAnalytics-Webhooks/1',
    ...signedHeaders(eventId, startedAt),
    'x-webhook-event': eventType,
    'x-webhook-delivery': deliveryId,
    'x-webhook-attempt': String(attempt),
  };
}
