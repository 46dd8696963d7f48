// Every event type with its schema, and how an event is made. The envelope's oneof and this table must name the same
// types; `events.spec.ts` holds them against each other.
import { create, type DescMessage, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { typeid } from 'typeid-js';
import { EnvelopeSchema, type Envelope } from './gen/events/v1/envelope_pb.js';
import { ExportCompletedSchema, ExportFailedSchema } from './gen/events/v1/exports_pb.js';
import { GoalConvertedSchema } from './gen/events/v1/goals_pb.js';
import { InsightCreatedSchema } from './gen/events/v1/insights_pb.js';
import { KeyCreatedSchema, KeyExpiringSchema, KeyRevokedSchema, KeyRotatedSchema } from './gen/events/v1/keys_pb.js';
import { PageCreatedSchema, PageDeletedSchema, PageUpdatedSchema, PageVerifiedSchema } from './gen/events/v1/pages_pb.js';
import { ReportCompletedSchema } from './gen/events/v1/reports_pb.js';
import { PageTrafficDropSchema, PageTrafficSpikeSchema } from './gen/events/v1/traffic_pb.js';
import { WebhookEndpointDisabledSchema, WebhookEndpointFailingSchema, WebhookEndpointRecoveredSchema, WebhookTestSchema } from './gen/events/v1/webhooks_pb.js';
import { publicJson, type JsonObject } from './public-json.js';

export const eventSchemas = {
  'page.created': PageCreatedSchema,
  'page.updated': PageUpdatedSchema,
  'page.deleted': PageDeletedSchema,
  'page.verified': PageVerifiedSchema,
  'page.traffic_spike': PageTrafficSpikeSchema,
  'page.traffic_drop': PageTrafficDropSchema,
  'goal.converted': GoalConvertedSchema,
  'report.completed': ReportCompletedSchema,
  'export.completed': ExportCompletedSchema,
  'export.failed': ExportFailedSchema,
  'insight.created': InsightCreatedSchema,
  'key.created': KeyCreatedSchema,
  'key.rotated': KeyRotatedSchema,
  'key.revoked': KeyRevokedSchema,
  'key.expiring': KeyExpiringSchema,
  'webhook.test': WebhookTestSchema,
  'webhook.endpoint.failing': WebhookEndpointFailingSchema,
  'webhook.endpoint.disabled': WebhookEndpointDisabledSchema,
  'webhook.endpoint.recovered': WebhookEndpointRecoveredSchema,
} satisfies Record<string, DescMessage>;

export type EventType = keyof typeof eventSchemas;

export const eventTypes = Object.keys(eventSchemas) as EventType[];

/**
 * Types whose form is settled and which nothing in this system tells of yet. A webhook may ask for them today, and a test
 * delivery brings their example.
 */
export const reservedEventTypes: readonly EventType[] = [
  'page.updated',
  'page.deleted',
  'page.traffic_spike',
  'page.traffic_drop',
  'report.completed',
  'export.completed',
  'export.failed',
  'insight.created',
];

export interface NewEvent<T extends EventType> {
  type: T;
  workspaceId: string;
  data: MessageInitShape<(typeof eventSchemas)[T]>;
  createdAt: Date;
  /** Given where the same happening must always have the same id; else a fresh TypeID. */
  id?: string;
}

export function newEvent<T extends EventType>(event: NewEvent<T>): Envelope {
  const data = { case: fieldOf(event.type), value: create(eventSchemas[event.type] as DescMessage, event.data) };
  return create(EnvelopeSchema, {
    id: event.id ?? typeid('evt').toString(),
    type: event.type,
    workspaceId: event.workspaceId,
    createdAt: timestampFromDate(event.createdAt),
    data: data as Envelope['data'],
  });
}

/** The `data` of an event as integrators see it: snake_case, RFC 3339 timestamps, null for what is not set. */
export function eventData(envelope: Envelope): JsonObject {
  const schema = eventSchemas[envelope.type as EventType];
  if (!schema || !envelope.data.value) throw new Error(`Event ${envelope.id} is of the unknown type ${envelope.type}`);
  return publicJson(schema, envelope.data.value);
}

/** An event as the body of its deliveries shows it. */
export function eventPayload(envelope: Envelope): JsonObject {
  const { id, type, workspaceId, createdAt } = envelope;
  if (!createdAt) throw new Error(`Event ${id} does not say when it happened`);
  return { id, type, created_at: timestampDate(createdAt).toISOString(), workspace_id: workspaceId, data: eventData(envelope) };
}

/** `page.traffic_spike` is the oneof field `page_traffic_spike`, `pageTrafficSpike` in TypeScript. */
function fieldOf(type: EventType): string {
  return type.replace(/[._](\w)/g, (_, letter: string) => letter.toUpperCase());
}
