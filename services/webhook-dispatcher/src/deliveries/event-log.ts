// The part that logs events, of the statements that write deliveries.
import { arraysOf, namesOf, unnest, type Column } from './columns.js';
import type { LoggedEvent } from './fan-out.js';

const eventColumns: Column<LoggedEvent>[] = [
  { name: 'id', type: 'text', of: ({ event }) => event.id },
  { name: 'event_at', type: 'timestamptz', of: ({ eventAt }) => eventAt },
  { name: 'workspace_id', type: 'text', of: ({ event }) => event.workspaceId },
  { name: 'type', type: 'text', of: ({ event }) => event.type },
  { name: 'traceparent', type: 'text', of: ({ traceparent }) => traceparent },
  { name: 'payload', type: 'bytea', of: ({ payload }) => payload },
];

/** CTE that logs those that are not yet. @param first number of the first of the parameters that `eventValues` gives */
export function logEvents(first: number): string {
  const names = namesOf(eventColumns);
  return `logged_events AS (
    INSERT INTO events (${names}) SELECT ${names} FROM ${unnest(eventColumns, first, 'e')} ON CONFLICT DO NOTHING
  )`;
}

/** How many parameters `logEvents` takes. */
export const eventValueCount = eventColumns.length;

/** In the order of ids: two statements that log the same events must not wait for each other in a circle. */
export function eventValues(events: LoggedEvent[]): Buffer[] {
  return arraysOf(eventColumns, events.toSorted((a, b) => (a.event.id < b.event.id ? -1 : 1)));
}
