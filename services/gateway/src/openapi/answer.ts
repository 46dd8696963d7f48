// What operations answer, as named schemas with an example. Most are messages of the contracts, shown as `publicJson` shows
// them; a few are put together by the gateway itself and have a zod schema instead.
import { create, type DescMessage, type MessageInitShape } from '@bufbuild/protobuf';
import { messageSchema, publicJson, type JsonObject } from '@na/contracts';
import { z } from 'zod';
import { zodJsonSchema } from './zod-json-schema.js';

export interface Answer {
  /** Under which it stands in components/schemas. */
  name: string;
  description: string;
  schema: JsonObject;
  example?: JsonObject;
  /** Whether it is one thing with an address of its own, whose answers carry an ETag. */
  isResource: boolean;
  /** Schemas it refers to. */
  parts: Answer[];
}

/** An answer without a body. */
export const nothing: Answer = { name: '', description: 'Done; there is nothing to show.', schema: {}, isResource: false, parts: [] };

export function ref(name: string): JsonObject {
  return { $ref: `#/components/schemas/${name}` };
}

/** @param narrow replaces what the contract says of a field by what the API promises, such as a closed list of values */
export function thing<D extends DescMessage>(
  name: string,
  description: string,
  message: D,
  example: MessageInitShape<D>,
  narrow: Record<string, JsonObject> = {},
): Answer {
  return { ...ofMessage(name, description, message, narrow), example: publicJson(message, create(message, example)), isResource: true };
}

/** A thing with more to it than its message has. */
export function extended(base: Answer, name: string, description: string, more: z.ZodObject, example: JsonObject, parts: Answer[] = []): Answer {
  const own = zodJsonSchema(more, 'output');
  return {
    ...base,
    name,
    description,
    schema: { allOf: [ref(base.name), openObject(own)], description },
    example: { ...base.example, ...example },
    parts: [base, ...parts],
  };
}

export function listOf(item: Answer): Answer {
  const schema = {
    type: 'object',
    properties: {
      data: { type: 'array', items: ref(item.name), description: 'The items of this page of the list.' },
      has_more: { type: 'boolean', description: 'Whether there are more after these.' },
      next_cursor: { type: ['string', 'null'], description: 'The `cursor` to ask for the next page with; null on the last.' },
    },
    required: ['data', 'has_more', 'next_cursor'],
  };
  const example = { data: [item.example!], has_more: false, next_cursor: null };
  return { name: `${item.name}List`, description: 'One page of the list.', schema, example, isResource: false, parts: [item] };
}

/** What the gateway answers by itself. */
export function plain(name: string, description: string, schema: z.ZodType, example: JsonObject, parts: Answer[] = []): Answer {
  return { name, description, schema: { ...openObject(zodJsonSchema(schema, 'output')), description }, example, isResource: false, parts };
}

function ofMessage(name: string, description: string, message: DescMessage, narrow: Record<string, JsonObject>): Answer {
  const parts = new Map<string, Answer>();
  const inner = (one: DescMessage) => {
    if (one.typeName.startsWith('google.protobuf.')) return messageSchema(one);
    parts.set(one.name, ofMessage(one.name, '', one, {}));
    return ref(one.name);
  };
  const schema = messageSchema(message, inner) as { properties: Record<string, JsonObject> };
  const fields = Object.entries(narrow).map(([field, as]) => [field, { ...schema.properties[field], ...as }] as const);
  const narrowed = { ...schema, properties: { ...schema.properties, ...Object.fromEntries(fields) }, ...(description && { description }) };
  return { name, description, schema: narrowed, isResource: false, parts: [...parts.values()] };
}

/** Answers may gain fields: a client must not be told that they never will. */
function openObject({ additionalProperties, ...schema }: JsonObject): JsonObject {
  return additionalProperties === false ? schema : { ...schema, ...(additionalProperties !== undefined && { additionalProperties }) };
}
