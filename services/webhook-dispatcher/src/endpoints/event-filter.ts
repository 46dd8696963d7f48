// Which events an endpoint wants: exact types, families such as `goal.*`, or everything with `*`; of these, where it names
// pages, the ones about them. Pure.
import { eventTypes as knownEventTypes, matchesPattern } from '@na/contracts';
import { ServiceError } from '@na/service-error';

export interface EventFilter {
  eventTypes: readonly string[];
  /** Empty means all pages. */
  pageIds: readonly string[];
}

/** What an event is about, as far as filters ask. */
export interface EventSubject {
  pageId?: string;
  /** Of the events about endpoints. */
  endpointId?: string;
}

/**
 * An event that is about no page is wanted whatever the pages; one about an endpoint's own health never comes to that
 * endpoint: it would only add to what it can't take.
 */
export function wants(filter: EventFilter & { endpointId: string }, type: string, { pageId, endpointId }: EventSubject): boolean {
  const isWantedPage = filter.pageIds.length === 0 || pageId === undefined || filter.pageIds.includes(pageId);
  return wantsEvent(filter.eventTypes, type) && isWantedPage && endpointId !== filter.endpointId;
}

export function wantsEvent(patterns: readonly string[], eventType: string): boolean {
  return patterns.some((pattern) => matchesPattern(pattern, eventType));
}

/** For a request that names one at /event_type. @param fault what is wrong with it, as a sentence */
export function unknownEventType(fault: string): ServiceError {
  const detail = `${fault} Known are ${knownEventTypes.join(', ')}.`;
  return new ServiceError('invalid_request', 'The event type is not known.', { fields: [{ pointer: '/event_type', code: 'unknown_event_type', detail }] });
}
