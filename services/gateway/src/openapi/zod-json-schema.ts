// The JSON Schema of the zod schemas that requests are validated by. Pure.
import type { JsonObject, JsonValue } from '@na/contracts';
import { z } from 'zod';

/** @param io what clients send, or what they get */
export function zodJsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
  const json = z.toJSONSchema(schema, { io, unrepresentable: 'any', override: mend });
  // The document says for all of its schemas at once which draft they are of.
  delete json.$schema;
  return json as JsonObject;
}

/**
 * Documents a schema by another one, where what is sent and what becomes of it are too far apart to be read off: a number in
 * a query, which is text, or a body whose parts are judged later.
 */
export function shownAs<S extends z.ZodType>(schema: S, shown: z.ZodType): S {
  schema._zod.toJSONSchema = () => zodJsonSchema(shown, 'input');
  return schema;
}

function mend({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodType; jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  // The pattern of a date-time or an address says in a line that nobody can read what its format says in a word.
  if (jsonSchema.format) delete jsonSchema.pattern;
  // Where text becomes a number, zod leaves the default out: it is of the number.
  const { def } = zodSchema._zod;
  if (def.type === 'default') jsonSchema.default ??= (def as z.core.$ZodDefaultDef).defaultValue as JsonValue;
}
