// Renders a protobuf message the way the public API and webhook payloads show it. Unlike protobuf's canonical JSON it
// writes null for an unset optional field and always three decimals of a second, so that a shape never varies.
import { toJson, type DescField, type DescMessage, type Message } from '@bufbuild/protobuf';
import { reflect, type ReflectMessage } from '@bufbuild/protobuf/reflect';
import { FeatureSet_FieldPresence, StructSchema, timestampDate, type Struct, type Timestamp } from '@bufbuild/protobuf/wkt';

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue;
}

/** @throws Error for fields of types the public API does not use (64-bit integers, bytes, enums). */
export function publicJson(schema: DescMessage, message: Message): JsonObject {
  return objectOf(reflect(schema, message));
}

function objectOf(message: ReflectMessage): JsonObject {
  const json: JsonObject = {};
  for (const field of message.fields) json[field.name] = fieldValue(message, field);
  return json;
}

function fieldValue(message: ReflectMessage, field: DescField): JsonValue {
  switch (field.fieldKind) {
    case 'scalar':
      // A field with proto3's implicit presence always has a value.
      if (field.presence !== FeatureSet_FieldPresence.IMPLICIT && !message.isSet(field)) return null;
      return scalar(message.get(field), field);
    case 'message':
      return message.isSet(field) ? messageValue(message.get(field)) : null;
    case 'list': {
      const list = [...message.get(field)];
      return field.listKind === 'message'
        ? list.map((item) => messageValue(item as ReflectMessage))
        : list.map((item) => scalar(item, field));
    }
    case 'map':
      return Object.fromEntries([...message.get(field)].map(([key, value]) => [String(key), scalar(value, field)]));
    case 'enum':
      throw new Error(`${field} is an enum, which the public API does not use`);
  }
}

function messageValue(message: ReflectMessage): JsonValue {
  switch (message.desc.typeName) {
    case 'google.protobuf.Timestamp':
      return timestampDate(message.message as Timestamp).toISOString();
    case 'google.protobuf.Struct':
      return toJson(StructSchema, message.message as Struct);
    default:
      return objectOf(message);
  }
}

function scalar(value: unknown, field: DescField): JsonValue {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  throw new Error(`${field} is of a type the public API does not use`);
}
