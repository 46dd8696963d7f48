// Reading the delivery table, always within one workspace.
import { notFound } from '@na/service-error';
import type { DataSource } from 'typeorm';
import { eventTimeOf, type DeliveryStatus } from './delivery.js';

export interface DeliveryRow {
  id: string;
  workspace_id: string;
  endpoint_id: string;
  event_id: string;
  event_type: string;
  status: DeliveryStatus;
  attempts: number;
  max_attempts: number;
  response_code: number | null;
  response_body: string | null;
  error: string | null;
  created_at: Date;
  last_attempt_at: Date | null;
  next_attempt_at: Date | null;
  completed_at: Date | null;
}

export interface AttemptRow {
  id: string;
  number: number;
  started_at: Date;
  duration_ms: number;
  response_code: number | null;
  response_headers: Record<string, string>;
  response_body: string | null;
  error: string | null;
  queued_ms: number | null;
  connected_ms: number | null;
  head_ms: number | null;
}

export interface DeliveryFilter {
  status?: string;
  eventType?: string;
  eventId?: string;
  endpointId?: string;
  responseCode?: number;
  since?: Date;
  until?: Date;
}

/** The body of the latest attempt is kept with the attempt only; a page of a list looks up at most 100 of them. */
const columns = `d.id, d.workspace_id, d.endpoint_id, d.event_id, d.event_type, d.status, d.attempts, d.max_attempts, d.response_code,
  d.error, d.created_at, d.last_attempt_at, d.next_attempt_at, d.completed_at, a.response_body`;
const withLatestAttempt = `LEFT JOIN attempts a ON a.delivery_id = d.id AND a.event_at = d.event_at AND a.number = d.attempts`;

export class DeliveryTable {
  constructor(private readonly database: DataSource) {}

  /** Newest event first; one more than `limit`, so that the caller knows whether there are more. */
  list(workspaceId: string, filter: DeliveryFilter, after: string, limit: number): Promise<DeliveryRow[]> {
    const values: unknown[] = [workspaceId];
    const conditions = ['d.workspace_id = $1'];
    const where = (condition: (parameter: string) => string, value: unknown) => {
      if (value === undefined || value === '') return;
      values.push(value);
      conditions.push(condition(`$${values.length}`));
    };
    where((p) => `d.id < ${p}`, after);
    where((p) => `d.event_at <= ${p}`, eventTimeOf(after));
    where((p) => `d.status = ${p}`, filter.status);
    where((p) => `d.event_type = ${p}`, filter.eventType);
    where((p) => `d.event_id = ${p}`, filter.eventId);
    where((p) => `d.endpoint_id = ${p}`, filter.endpointId);
    where((p) => `d.response_code = ${p}`, filter.responseCode);
    where((p) => `d.event_at >= ${p}`, filter.since);
    where((p) => `d.event_at < ${p}`, filter.until);
    return this.database.query<DeliveryRow[]>(
      `SELECT ${columns} FROM deliveries d ${withLatestAttempt}
       WHERE ${conditions.join(' AND ')} ORDER BY d.event_at DESC, d.id DESC LIMIT ${limit + 1}`,
      values,
    );
  }

  async get(workspaceId: string, id: string): Promise<{ delivery: DeliveryRow; url: string; payload: Buffer; attempts: AttemptRow[] }> {
    const eventAt = eventTimeOf(id);
    const found = await this.database.query<(DeliveryRow & { url: string; payload: Buffer })[]>(
      `SELECT ${columns}, p.url, e.payload FROM deliveries d ${withLatestAttempt}
       JOIN events e ON e.id = d.event_id AND e.event_at = d.event_at
       JOIN endpoints p ON p.id = d.endpoint_id
       WHERE d.workspace_id = $1 AND d.id = $2 AND d.event_at = $3`,
      [workspaceId, id, eventAt ?? null],
    );
    const delivery = found[0];
    if (!delivery) throw notFound('delivery', id);
    const attempts = await this.database.query<AttemptRow[]>(
      `SELECT id, number, started_at, duration_ms, response_code, response_headers, response_body, error, queued_ms, connected_ms, head_ms
       FROM attempts WHERE delivery_id = $1 AND event_at = $2 ORDER BY number`,
      [id, eventAt],
    );
    return { delivery, url: delivery.url, payload: delivery.payload, attempts };
  }
}
