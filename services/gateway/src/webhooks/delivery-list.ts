// The delivery table: its filters, and how a page of it is fetched.
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { DeliverySchema, type Caller } from '@na/contracts';
import { z } from 'zod';
import { eventPattern, id, timestamp, windowInOrder, wholeNumber } from '../http/field-schemas.js';
import { listQuery, type ListAnswer, type Lists } from '../http/lists.js';
import type { Services } from '../services.js';

export const deliveryStatus = z.enum(['pending', 'retrying', 'succeeded', 'failed', 'cancelled']);

const filters = listQuery.extend({
  status: deliveryStatus.optional().describe('Only deliveries in this state.'),
  event_type: eventPattern.optional().describe('Only of events of this type, or of a family such as `goal.*`. What matches no event type is refused.'),
  event_id: id('evt').optional().describe('Only of this event.'),
  endpoint_id: id('we').optional().describe('Only to this webhook.'),
  response_code: wholeNumber(100, 999).optional().describe('Only those whose latest attempt was answered with this HTTP status.'),
  since: timestamp.optional().describe('Only of events from this moment on, by `event_created_at`; before `until`.'),
  until: timestamp.optional().describe('Only of events before this moment, by `event_created_at`.'),
});

export const deliveriesQuery = filters.check(windowInOrder);

/** Of a webhook that the path names. */
export const ownDeliveriesQuery = filters.omit({ endpoint_id: true }).check(windowInOrder);

export type DeliveriesQuery = z.infer<typeof deliveriesQuery>;

export function answerDeliveries(lists: Lists, services: Services, caller: Caller, query: DeliveriesQuery): Promise<ListAnswer> {
  return lists.answer('deliveries', caller, query, async (at) => {
    const { deliveries, hasMore } = await services.deliveries.listDeliveries({ caller, ...at, ...filtersOf(query) });
    return { schema: DeliverySchema, items: deliveries, hasMore };
  });
}

function filtersOf({ status, event_type, event_id, endpoint_id, response_code, since, until }: DeliveriesQuery) {
  return {
    status,
    eventType: event_type,
    eventId: event_id,
    endpointId: endpoint_id,
    responseCode: response_code,
    since: since && timestampFromDate(since),
    until: until && timestampFromDate(until),
  };
}
