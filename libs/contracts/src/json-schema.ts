// JSON Schema (draft 2020-12, as in OpenAPI 3.1) of what `publicJson` writes. Pure.
import { ScalarType, type DescField, type DescMessage } from '@bufbuild/protobuf';
import { eventSchemas, type EventType } from './events.js';
import { comments } from './gen/comments.js';
import type { JsonObject } from './public-json.js';

/** Of the whole body of an event's delivery. Events may gain fields, so that others than these are not forbidden. */
export function eventPayloadSchema(type: EventType): JsonObject {
  return objectSchema({
    id: { type: 'string', pattern: '^evt_[0-9a-z]{26}$' },
    type: { const: type },
    created_at: timestampSchema,
    workspace_id: { type: 'string', pattern: '^ws_[0-9a-z]{26}$' },
    data: messageSchema(eventSchemas[type]),
  });
}

const timestampSchema = { type: 'string', format: 'date-time' };

/** The schema of a message inside another: in place, or a reference to where it stands. */
export type InnerSchema = (message: DescMessage) => JsonObject;

/**
 * Described by the comments of the contract.
 * @throws Error for fields of types the public API does not use (64-bit integers, bytes, enums)
 */
export function messageSchema(message: DescMessage, inner: InnerSchema = messageSchema): JsonObject {
  switch (message.typeName) {
    case 'google.protobuf.Timestamp':
      return timestampSchema;
    case 'google.protobuf.Struct':
      return { type: 'object' };
    default:
      return objectSchema(Object.fromEntries(message.fields.map((field) => [field.name, fieldSchema(field, inner)])));
  }
}

/** Every field is always there: what is optional is null when it is not set. */
function objectSchema(properties: Record<string, JsonObject>): JsonObject {
  return { type: 'object', properties, required: Object.keys(properties) };
}

function fieldSchema(field: DescField, inner: InnerSchema): JsonObject {
  const schema = valueSchema(field, inner);
  const description = comments[`${field.parent.typeName}.${field.name}`];
  return { ...(field.proto.proto3Optional ? { anyOf: [schema, { type: 'null' }] } : schema), ...(description && { description }) };
}

function valueSchema(field: DescField, inner: InnerSchema): JsonObject {
  switch (field.fieldKind) {
    case 'scalar':
      return scalarSchema(field.scalar, field);
    case 'message':
      return inner(field.message);
    case 'list':
      return { type: 'array', items: field.listKind === 'message' ? inner(field.message) : scalarSchema(field.scalar, field) };
    case 'map':
      return { type: 'object', additionalProperties: scalarSchema(field.scalar, field) };
    case 'enum':
      throw new Error(`${field} is an enum, which the public API does not use`);
  }
}

function scalarSchema(scalar: ScalarType | undefined, field: DescField): JsonObject {
  switch (scalar) {
    case ScalarType.STRING:
      return { type: 'string' };
    case ScalarType.BOOL:
      return { type: 'boolean' };
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return { type: 'number' };
    case ScalarType.INT32:
      return { type: 'integer' };
    case ScalarType.UINT32:
      return { type: 'integer', minimum: 0 };
    default:
      throw new Error(`${field} is of a type the public API does not use`);
  }
}
