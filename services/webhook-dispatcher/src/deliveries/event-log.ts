// The part that logs events, of the statements that write deliveries.
import { packBytes, plainColumn, timeColumn } from './columns.js';
import type { LoggedEvent } from './fan-out.js';

/** CTE that logs those that are not yet. @param first number of the first of its 8 parameters, which `eventValues` gives */
export function logEvents(first: number): string {
  const [id, at, workspace, type, traceparent, starts, lengths, payloads] = Array.from({ length: 8 }, (_, index) => `$${first + index}`);
  return `logged_events AS (
    INSERT INTO events (id, event_at, workspace_id, type, traceparent, payload)
    SELECT id, event_at, workspace_id, type, traceparent, substring(${payloads}::bytea FROM start FOR length)
    FROM unnest(${id}::text[], ${at}::timestamptz[], ${workspace}::text[], ${type}::text[], ${traceparent}::text[], ${starts}::integer[], ${lengths}::integer[])
      AS e (id, event_at, workspace_id, type, traceparent, start, length)
    ON CONFLICT DO NOTHING
  )`;
}

/** In the order of ids: two statements that log the same events must not wait for each other in a circle. */
export function eventValues(events: LoggedEvent[]): unknown[] {
  const sorted = [...events].sort((a, b) => (a.event.id < b.event.id ? -1 : 1));
  const { bytes, starts, lengths } = packBytes(sorted.map(({ payload }) => payload));
  return [
    plainColumn(sorted.map(({ event }) => event.id)),
    timeColumn(sorted.map(({ eventAt }) => eventAt)),
    plainColumn(sorted.map(({ event }) => event.workspaceId)),
    plainColumn(sorted.map(({ event }) => event.type)),
    plainColumn(sorted.map(({ traceparent }) => traceparent)),
    starts,
    lengths,
    bytes,
  ];
}
